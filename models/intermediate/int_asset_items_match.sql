-- Which names of items count as digital: the folded name holds one of the words of seed_digital_asset_item; the first
-- word by position decides the group. Names without any are `other`; rows that only add up others are `subtotal`.
with named as (
    select
        item_name,
        {{ fold_text('item_name') }} as folded_name,
        cast(count(*) as integer) as items_count
    from {{ ref('stg_listed_firm_assets__items') }}
    where item_name is not null
    group by item_name
),

hits as (
    select
        named.item_name,
        arg_min(words.asset_group, words.position) as asset_group,
        arg_min(words.keyword, words.position) as keyword
    from named
    inner join {{ ref('seed_digital_asset_item') }} as words
        on
            (words.match = 'contains' and contains(named.folded_name, words.keyword))
            or (words.match = 'exact' and named.folded_name = words.keyword)
    where words.asset_group = 'subtotal' or words.is_in_paper or '{{ var('digital_items') }}' = 'extended'
    group by named.item_name
)

select
    named.item_name,
    named.folded_name,
    coalesce(hits.asset_group, 'other') as asset_group,
    hits.keyword,
    coalesce(hits.asset_group not in ('subtotal', 'other'), false) as is_digital,
    named.items_count
from named
left join hits on named.item_name = hits.item_name
order by named.item_name
