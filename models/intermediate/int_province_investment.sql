-- Investment of the provinces in every year: fixed capital formation, or total investment in fixed assets where a
-- province has no capital formation at all; after its last year (2017) chained on with the published growth of
-- investment, code ratio; and the same at prices of the base year of the study's capital stock.
with amounts as (
    select
        province_code,
        year,
        fixed_asset_investment_growth_pct,
        bool_or(fixed_capital_formation_yi_yuan is not null) over (partition by province_code) as has_formation,
        case
            when bool_or(fixed_capital_formation_yi_yuan is not null) over (partition by province_code)
                then fixed_capital_formation_yi_yuan
            else fixed_asset_investment_yi_yuan
        end as amount,
        case
            when bool_or(fixed_capital_formation_yi_yuan is not null) over (partition by province_code)
                then fixed_capital_formation_yi_yuan_fill
            else fixed_asset_investment_yi_yuan_fill
        end as amount_fill
    from {{ ref('int_province_year_pivot') }}
),

growth_links as (
    select
        province_code,
        year,
        max(year) filter (where amount is not null) over (partition by province_code) as last_amount_year,
        100 + fixed_asset_investment_growth_pct as growth_prev100_index
    from amounts
),

growth_chains as (
    {{ chain_to_base(
        'growth_links', by=['province_code'], base='last_amount_year', link='growth_prev100_index'
    ) }}
),

extended as (
    select
        amounts.province_code,
        amounts.year,
        amounts.has_formation,
        growth_chains.last_amount_year,
        growth_chains.chain_index as growth_chain_index,
        case
            when amounts.year > growth_chains.last_amount_year then last_year.amount * growth_chains.chain_index
            else amounts.amount
        end as investment_yi_yuan,
        case
            when amounts.year > growth_chains.last_amount_year
                then {{ worst_fill(["last_year.amount_fill", "'ratio'"]) }}
            else amounts.amount_fill
        end as amount_fill
    from amounts
    inner join growth_chains
        on amounts.province_code = growth_chains.province_code and amounts.year = growth_chains.year
    left join amounts as last_year
        on growth_chains.province_code = last_year.province_code and growth_chains.last_amount_year = last_year.year
),

price_links as (
    select
        prices.province_code,
        prices.year,
        rules.base_year,
        prices.is_deflator_used,
        prices.investment_price_prev100_index as prev100_index
    from {{ ref('int_province_price_index') }} as prices
    cross join {{ ref('seed_capital_rule') }} as rules
    where rules.study = 'province_transition'
),

price_chains as (
    {{ chain_to_base(
        'price_links', by=['province_code'], count_where={'n_deflator_years': 'links.is_deflator_used'}
    ) }}
)

select
    extended.province_code,
    extended.year,
    case when extended.has_formation then 'fixed_capital_formation' else 'fixed_asset_investment' end
        as investment_basis,
    least(extended.year, extended.last_amount_year) as amount_year,
    case when extended.year > extended.last_amount_year then extended.last_amount_year end as growth_from_year,
    case when extended.year > extended.last_amount_year then extended.growth_chain_index end as growth_chain_index,
    extended.investment_yi_yuan,
    case when extended.investment_yi_yuan is null then 'missing' else extended.amount_fill end
        as investment_yi_yuan_fill,
    case when investment_yi_yuan_fill = 'observed' then extended.investment_yi_yuan end as investment_yi_yuan_reported,
    price_chains.base_year,
    price_chains.chain_index as price_chain_index,
    price_chains.n_deflator_years,
    {{ filled_measure(
        'investment_base_price_yi_yuan',
        'extended.investment_yi_yuan / nullif(price_chains.chain_index, 0)',
        ['investment_yi_yuan_fill', "case when price_chains.n_deflator_years > 0 then 'carried' else 'observed' end"]
    ) }}
from extended
inner join price_chains on extended.province_code = price_chains.province_code and extended.year = price_chains.year
order by extended.province_code, extended.year
