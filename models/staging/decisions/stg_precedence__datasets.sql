-- The order in which a user's datasets go where several bring the same number. Datasets that are not listed follow in
-- the order of their names.
{% if has_user_inputs() and has_files(user_precedence_file()) %}
select
    source,
    indicator,
    year,
    dataset,
    position
from read_parquet('{{ user_precedence_file() }}')
{% else %}
select
    cast(null as varchar) as source,
    cast(null as varchar) as indicator,
    cast(null as integer) as year,
    cast(null as varchar) as dataset,
    cast(null as integer) as position
where false
{% endif %}
order by source, indicator, year, position
