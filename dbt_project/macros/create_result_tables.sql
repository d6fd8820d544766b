{#- Tables the runner writes; they exist before the views of models/results bind to them. -#}
{% macro create_result_tables() %}
    create schema if not exists results;
    create table if not exists results.run (
        run_id varchar primary key,
        study varchar,
        started_at timestamp,
        finished_at timestamp,
        status varchar,
        inputs varchar,
        is_simulated boolean,
        panel varchar,
        panel_hash varchar,
        data_file varchar,
        versions varchar,
        git_commit varchar,
        lock_hash varchar,
        seeds_hash varchar,
        study_hash varchar,
        seed bigint,
        message varchar
    );
    create table if not exists results.model (
        run_id varchar,
        study varchar,
        id varchar,
        analysis_id varchar,
        variant varchar,
        variant_of varchar,
        table_no varchar,
        spec_hash varchar,
        spec varchar,
        status varchar,
        message varchar,
        estimator varchar,
        outcome varchar,
        sample varchar,
        fill varchar,
        convention varchar,
        covariance varchar,
        small_sample varchar,
        n_obs bigint,
        n_units bigint,
        n_times bigint,
        n_clusters varchar,
        n_singletons_dropped bigint,
        n_filled_cells bigint,
        df_resid double,
        df_model double,
        r2 double,
        r2_within double,
        r2_between double,
        r2_overall double,
        r2_adjusted double,
        f double,
        f_p_value double,
        rmse double,
        dropped_terms varchar,
        primary key (run_id, study, id)
    );
    create table if not exists results.coefficient (
        run_id varchar,
        study varchar,
        id varchar,
        position integer,
        term varchar,
        regime varchar,
        "group" varchar,
        estimate double,
        std_error double,
        statistic double,
        statistic_kind varchar,
        p_value double,
        ci_low double,
        ci_high double,
        df double
    );
    create table if not exists results.diagnostic (
        run_id varchar,
        study varchar,
        id varchar,
        position integer,
        test varchar,
        statistic double,
        df1 double,
        df2 double,
        p_value double,
        critical varchar,
        note varchar
    );
    create table if not exists results.threshold (
        run_id varchar,
        study varchar,
        id varchar,
        "order" integer,
        variable varchar,
        value double,
        ci_low double,
        ci_high double,
        f double,
        p_value double,
        critical varchar
    );
    create table if not exists results.curve (
        run_id varchar,
        study varchar,
        id varchar,
        curve varchar,
        position integer,
        x double,
        y double,
        y_low double,
        y_high double,
        label varchar
    );
    create table if not exists results.descriptive (
        run_id varchar,
        study varchar,
        id varchar,
        position integer,
        variable varchar,
        n bigint,
        mean double,
        sd double,
        min double,
        p25 double,
        median double,
        p75 double,
        max double,
        n_filled bigint
    );
    create table if not exists results.dropped_observation (
        run_id varchar,
        study varchar,
        id varchar,
        unit varchar,
        time varchar,
        reason varchar
    );
{% endmacro %}
