-- Every numeric column of a mart ends with the suffix of a unit (seed_unit), has a declared ending or beginning
-- (seed_column_suffix), or is a symbol of a paper, its flow or its lag. Columns a user defined are named by the user.
-- depends_on: {{ ref('dim_city') }}
-- depends_on: {{ ref('panel_carbon_productivity') }}
-- depends_on: {{ ref('dim_index_weight') }}
-- depends_on: {{ ref('panel_yellow_river') }}
-- depends_on: {{ ref('panel_green_tfp') }}
-- depends_on: {{ ref('panel_green_innovation') }}
with measures as (
    select
        table_name,
        column_name,
        regexp_replace(column_name, '_reported$', '') as stem
    from duckdb_columns()
    where
        database_name = current_database()
        and schema_name = 'marts'
        and data_type in ('DOUBLE', 'BIGINT', 'INTEGER', 'HUGEINT', 'FLOAT', 'DECIMAL')
        and column_name <> 'year'
        and not (table_name, regexp_replace(column_name, '_reported$', '')) in (
            {% for variable in user_variables() -%}
            ('{{ variable['table_name'] }}', '{{ variable['name'] }}'),
            {% endfor -%}
            ('', '')
        )
),

endings as (
    select column_suffix as ending from {{ ref('seed_unit') }}
    union distinct
    select affix from {{ ref('seed_column_suffix') }}
    where kind = 'suffix'
),

beginnings as (
    select affix as beginning from {{ ref('seed_column_suffix') }}
    where kind = 'prefix'
),

-- A panel's columns are the symbols of its paper: they claim the published variable in the YAML, their unit beside it.
symbols as (
    select unnest([
        {% for symbol in published_symbols() -%}
        '{{ symbol }}'{{ ', ' if not loop.last }}
        {%- endfor %}
    ]) as symbol
)

select
    measures.table_name,
    measures.column_name
from measures
where
    not exists (
        select 1
        from endings
        where ends_with(measures.stem, endings.ending)
    )
    and not exists (
        select 1
        from beginnings
        where starts_with(measures.stem, beginnings.beginning)
    )
    and not exists (
        select 1
        from symbols
        where
            regexp_replace(measures.stem, '_(flow|US|US_flow|lag[0-9]+)$', '') = symbols.symbol
    )
order by measures.table_name, measures.column_name
