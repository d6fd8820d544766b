{#- Tables the on-run-end macros write: the codebook, how the warehouse was built, and a hash of each mart. -#}
{% macro create_meta_tables() %}
    create schema if not exists meta;
    create table if not exists meta.column_dictionary (
        schema_name varchar,
        model_name varchar,
        column_name varchar,
        ordinal integer,
        data_type varchar,
        unit varchar,
        description varchar,
        formula varchar,
        inputs varchar,
        fill_rule varchar,
        source varchar
    );
    create table if not exists meta.build (
        inputs varchar,
        world varchar,
        co2_source varchar,
        gdp_vintage varchar,
        base_year integer,
        grid_factor_type varchar,
        fuel_study varchar,
        is_simulated boolean
    );
    create table if not exists meta.mart_hash (
        schema_name varchar,
        table_name varchar,
        n_rows bigint,
        hash varchar
    );
{% endmacro %}
