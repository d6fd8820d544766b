-- Customers and suppliers of a firm in a year, and the AI patents these had applied for the year before. A partner that
-- is both counts once; a partner that is listed but had no accounts the year before had no patents; one that is not
-- listed has none that are known.
with partners as (
    select distinct
        firm_code,
        year,
        partner_code
    from {{ ref('stg_listed_firm_links__partners') }}
    where firm_code is not null and partner_code is not null and firm_code <> partner_code
),

listed as (
    select distinct firm_code from {{ ref('int_firm_rows_resolve') }}
),

before as (
    select
        firm_code,
        year + 1 as year,
        ai_patents,
        ai_patents is null as is_unknown
    from {{ ref('int_firm_rows_resolve') }}
)

select
    partners.firm_code,
    partners.year,
    cast(count(*) as integer) as partners_count,
    cast(count(listed.firm_code) as integer) as listed_partners_count,
    case
        when not coalesce(bool_or(before.is_unknown), false)
            then coalesce(list_sum(list(before.ai_patents order by partners.partner_code)), 0)
    end as partner_ai_patents
from partners
left join listed on partners.partner_code = listed.firm_code
left join before on partners.partner_code = before.firm_code and partners.year = before.year
group by partners.firm_code, partners.year
order by partners.firm_code, partners.year
