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
        items.source_row,
        items.source_file,
        items.source_sheet
    from {{ ref('stg_listed_firm_assets__items') }} as items
    inner join first_set
        on
            items.firm_code = first_set.firm_code
            and items.year = first_set.year
            and items.dataset = first_set.dataset
    left join {{ ref('int_asset_items_match') }} as names on items.item_name = names.item_name
    where items.amount_yuan is not null
),

-- First by class and group in the order of the rows; the few sums of a firm are then added in a fixed order.
summed as (
    select
        firm_code,
        year,
        asset_class,
        asset_group,
        list_sum(list(amount_yuan order by source_row, source_file, source_sheet)) as amount_yuan,
        count(*) as n_items
    from items
    where asset_group <> 'subtotal'
    group by firm_code, year, asset_class, asset_group
),

pivoted as (
    select
        firm_code,
        year,
        bool_or(asset_class = 'fixed') as has_fixed,
        bool_or(asset_class = 'intangible') as has_intangible,
        {% for group in digital_groups() + ['other'] -%}
        coalesce(max(amount_yuan) filter (where asset_class = 'fixed' and asset_group = '{{ group }}'), 0)
            as fixed_{{ group }},
        coalesce(max(amount_yuan) filter (where asset_class = 'intangible' and asset_group = '{{ group }}'), 0)
            as intangible_{{ group }},
        {% endfor -%}
        cast(coalesce(sum(n_items) filter (where asset_group <> 'other'), 0) as integer) as digital_items_count,
        cast(sum(n_items) as integer) as items_count
    from summed
    group by firm_code, year
),

added as (
    select
        *,
        {% for group in digital_groups() -%}
        fixed_{{ group }} {{ '+' if not loop.last }}
        {% endfor -%} as fixed_digital,
        {% for group in digital_groups() -%}
        intangible_{{ group }} {{ '+' if not loop.last }}
        {% endfor -%} as intangible_digital
    from pivoted
)

select
    firm_code,
    year,
    case when has_fixed then fixed_digital + fixed_other end as fixed_assets_yuan,
    case when has_intangible then intangible_digital + intangible_other end as intangible_assets_yuan,
    fixed_digital + fixed_other + (intangible_digital + intangible_other) as fixed_and_intangible_assets_yuan,
    fixed_digital + intangible_digital as digital_assets_yuan,
    {% for group in digital_groups() -%}
    fixed_{{ group }} + intangible_{{ group }} as digital_{{ group }}_yuan,
    {% endfor -%}
    digital_items_count,
    items_count
from added
order by firm_code, year
