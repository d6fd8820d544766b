{#- Tables the on-run-end macros fill: how the warehouse was built, and a hash of each mart. The codebook is made whole there. -#}
{% macro create_meta_tables() %}
    create schema if not exists meta;
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
