-- Investment in fixed assets, extended beyond its last published amount (2017 in most yearbooks) by the growth rates
-- that are still published. A year without a growth rate ends the extension.
with links as (
    select
        city_code,
        year,
        fixed_asset_investment_yi_yuan,
        fixed_asset_investment_yi_yuan_fill,
        100 + fixed_asset_investment_growth_pct as prev100_index,
        max(year) filter (where fixed_asset_investment_yi_yuan is not null) over (partition by city_code) as last_year
    from {{ ref('int_city_year_pivot') }}
),

chains as (
    {{ chain_to_base('links', base='last_year') }}
),

extended as (
    select
        links.city_code,
        links.year,
        links.last_year,
        links.fixed_asset_investment_yi_yuan,
        links.fixed_asset_investment_yi_yuan_fill,
        last.fixed_asset_investment_yi_yuan_fill as last_fill,
        case when links.year > links.last_year then last.fixed_asset_investment_yi_yuan * chains.chain_index end
            as chained_investment_yi_yuan
    from links
    inner join chains on links.city_code = chains.city_code and links.year = chains.year
    left join links as last on links.city_code = last.city_code and links.last_year = last.year
)

select
    city_code,
    year,
    last_year,
    chained_investment_yi_yuan,
    {{ filled_measure(
        'fixed_asset_investment_extended_yi_yuan',
        'coalesce(fixed_asset_investment_yi_yuan, chained_investment_yi_yuan)',
        [
            "case when chained_investment_yi_yuan is null then fixed_asset_investment_yi_yuan_fill else last_fill end",
            "case when chained_investment_yi_yuan is null then 'observed' else 'ratio' end",
        ]
    ) }}
from extended
order by city_code, year
