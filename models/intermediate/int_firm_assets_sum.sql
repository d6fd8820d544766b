-- Fixed and intangible assets of a firm by the items of its notes, and the digital ones among them
-- (int_asset_items_match). Rows that only add up others do not count. Of several data sets the first by name counts.
with first_set as (
    select
        firm_code,
        year,
        min(dataset) as dataset
    from {{ ref('stg_listed_firm_assets__items') }}
    group by firm_code, year
),

items as (
    select
        items.firm_code,
        items.year,
        items.asset_class,
        items.amount_yuan,
        coalesce(names.asset_group, 'other') as asset_group,
        row_number() over (
            partition by items.firm_code, items.year
            order by items.source_file, items.source_sheet, items.source_row
        ) as position
    from {{ ref('stg_listed_firm_assets__items') }} as items
    inner join first_set
        on
            items.firm_code = first_set.firm_code
            and items.year = first_set.year
            and items.dataset = first_set.dataset
    left join {{ ref('int_asset_items_match') }} as names on items.item_name = names.item_name
    where items.amount_yuan is not null
),

-- First by class and group in the order of the file, then over these: every addition has its place.
summed as (
    select
        firm_code,
        year,
        asset_class,
        asset_group,
        list_sum(list(amount_yuan order by position)) as amount_yuan,
        count(*) as n_items
    from items
    where asset_group <> 'subtotal'
    group by firm_code, year, asset_class, asset_group
)

select
    firm_code,
    year,
    list_sum(list(amount_yuan order by asset_group) filter (where asset_class = 'fixed')) as fixed_assets_yuan,
    list_sum(
        list(amount_yuan order by asset_group) filter (where asset_class = 'intangible')
    ) as intangible_assets_yuan,
    list_sum(list(amount_yuan order by asset_class, asset_group)) as fixed_and_intangible_assets_yuan,
    coalesce(
        list_sum(list(amount_yuan order by asset_class, asset_group) filter (where asset_group <> 'other')), 0
    ) as digital_assets_yuan,
    {% for group in digital_groups() -%}
    coalesce(
        list_sum(list(amount_yuan order by asset_class) filter (where asset_group = '{{ group }}')), 0
    ) as digital_{{ group }}_yuan,
    {% endfor -%}
    cast(coalesce(sum(n_items) filter (where asset_group <> 'other'), 0) as integer) as digital_items_count,
    cast(sum(n_items) as integer) as items_count
from summed
group by firm_code, year
order by firm_code, year
