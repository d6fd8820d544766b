{#- Tables the validation writes: one row a run, one row an expectation. -#}
{% macro create_quality_tables() %}
    create schema if not exists quality;
    create table if not exists quality.validation_run (
        validation_id varchar,
        stage varchar,
        started_at timestamp,
        finished_at timestamp,
        inputs varchar,
        success boolean,
        n_stop integer,
        n_warn integer
    );
    create table if not exists quality.expectation_result (
        validation_id varchar,
        stage varchar,
        suite varchar,
        table_name varchar,
        position integer,
        expectation varchar,
        column_name varchar,
        severity varchar,
        success boolean,
        element_count bigint,
        unexpected_count bigint,
        observed varchar,
        expected varchar,
        message varchar
    );
{% endmacro %}
