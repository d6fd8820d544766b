-- Listed firms by year with the city they stand in and their industry, numbers that cannot be right set to NULL. One
-- row a firm and year: of several each number is the first that is there, by data set, file and row, so that a balance
-- sheet and an income statement brought as two files complete each other; `rows_count` says how many there were. The
-- city is found by its code, else by its name, present or former; where the two disagree it is not known.
with lined_up as (
    select
        *,
        row_number() over (
            partition by firm_code, year
            order by dataset, source_file, source_sheet, source_row
        ) as place_in_line
    from {{ ref('stg_listed_firms__accounts') }}
    where firm_code is not null and year is not null
),

merged as (
    select
        firm_code,
        year,
        min_by(firm_name, place_in_line) filter (where firm_name is not null) as firm_name,
        -- code and name of one row, never of two
        min_by(struct_pack(code := place_code_raw, label := place_name_raw), place_in_line) filter (
            where place_code_raw is not null or place_name_raw is not null
        ) as place,
        min_by(struct_pack(code := industry_code, label := industry_name), place_in_line) filter (
            where industry_code is not null
        ) as industry,
        min_by(total_assets_yuan, place_in_line) filter (where total_assets_yuan is not null) as total_assets_yuan,
        min_by(revenue_yuan, place_in_line) filter (where revenue_yuan is not null) as revenue_yuan,
        min_by(employees_persons, place_in_line) filter (where employees_persons is not null) as employees_persons,
        min_by(green_patents_upstream, place_in_line) filter (where green_patents_upstream is not null)
            as green_patents_upstream,
        min_by(green_patents_end_of_pipe, place_in_line) filter (where green_patents_end_of_pipe is not null)
            as green_patents_end_of_pipe,
        min_by(ai_patents, place_in_line) filter (where ai_patents is not null) as ai_patents,
        min_by(robots, place_in_line) filter (where robots is not null) as robots,
        min_by(energy_tce, place_in_line) filter (where energy_tce is not null) as energy_tce,
        min_by(co2_t, place_in_line) filter (where co2_t is not null) as co2_t,
        min(smart_manufacturing_pilot_year) as smart_manufacturing_pilot_year,
        count(*) as rows_count,
        bool_or(is_simulated) as is_simulated
    from lined_up
    group by firm_code, year
),

accounts as (
    select
        merged.*,
        merged.place.code as place_code_raw,
        merged.place.label as place_name_raw,
        merged.industry.code as industry_code,
        merged.industry.label as industry_name
    from merged
),

names as (
    select * from {{ ref('int_city_names_union') }}
),

printed as (
    select distinct
        place_code_raw,
        place_name_raw
    from accounts
),

places as (
    select
        given.place_code_raw,
        given.place_name_raw,
        case
            when by_code.city_code <> by_name.city_code then null
            else coalesce(by_code.city_code, by_name.city_code)
        end as city_code,
        case
            when by_code.city_code <> by_name.city_code then 'code_and_name_disagree'
            when by_code.city_code is not null then by_code.alias_kind
            when by_name.city_code is not null then by_name.alias_kind
            else 'unknown_place'
        end as resolution
    from printed as given
    left join names as by_code on given.place_code_raw = by_code.alias
    left join names as by_name on given.place_name_raw = by_name.alias
),

-- A firm's own usual size: an amount a thousand times as large or small is in another unit.
usual as (
    select
        firm_code,
        median(total_assets_yuan) filter (where total_assets_yuan > 0) as total_assets_yuan,
        median(revenue_yuan) filter (where revenue_yuan > 0) as revenue_yuan,
        max(smart_manufacturing_pilot_year) as smart_manufacturing_pilot_year
    from accounts
    group by firm_code
),

checked as (
    select
        accounts.*,
        places.city_code,
        places.resolution,
        industries.csrc_code,
        usual.smart_manufacturing_pilot_year as first_pilot_year,
        coalesce(
            accounts.total_assets_yuan > 0
            and accounts.total_assets_yuan between usual.total_assets_yuan / 1000 and usual.total_assets_yuan * 1000,
            false
        ) as has_total_assets,
        coalesce(
            accounts.revenue_yuan >= 0
            and (
                accounts.revenue_yuan between usual.revenue_yuan / 1000 and usual.revenue_yuan * 1000
                or accounts.revenue_yuan = 0
            ),
            false
        ) as has_revenue,
        coalesce(accounts.employees_persons > 0, false) as has_employees
    from accounts
    left join places
        on
            accounts.place_code_raw is not distinct from places.place_code_raw
            and accounts.place_name_raw is not distinct from places.place_name_raw
    left join usual on accounts.firm_code = usual.firm_code
    left join {{ ref('seed_csrc_industry') }} as industries
        on upper(left(trim(accounts.industry_code), 3)) = industries.csrc_code
)

select
    firm_code,
    year,
    firm_name,
    city_code,
    resolution,
    place_code_raw,
    place_name_raw,
    csrc_code as industry_code,
    industry_code as industry_code_raw,
    industry_name as industry_name_raw,
    case when has_total_assets then total_assets_yuan end as total_assets_yuan,
    case when has_revenue then revenue_yuan end as revenue_yuan,
    case when has_employees then employees_persons end as employees_persons,
    case when green_patents_upstream >= 0 then green_patents_upstream end as green_patents_upstream,
    case when green_patents_end_of_pipe >= 0 then green_patents_end_of_pipe end as green_patents_end_of_pipe,
    case when ai_patents >= 0 then ai_patents end as ai_patents,
    case when robots >= 0 then robots end as robots,
    case when energy_tce > 0 then energy_tce end as energy_tce,
    case when co2_t > 0 then co2_t end as co2_t,
    first_pilot_year as smart_manufacturing_pilot_year,
    nullif(concat_ws(
        ', ',
        case when total_assets_yuan is not null and not has_total_assets then 'total_assets_yuan' end,
        case when revenue_yuan is not null and not has_revenue then 'revenue_yuan' end,
        case when employees_persons is not null and not has_employees then 'employees_persons' end,
        case when green_patents_upstream < 0 then 'green_patents_upstream' end,
        case when green_patents_end_of_pipe < 0 then 'green_patents_end_of_pipe' end,
        case when ai_patents < 0 then 'ai_patents' end,
        case when robots < 0 then 'robots' end,
        case when energy_tce <= 0 then 'energy_tce' end,
        case when co2_t <= 0 then 'co2_t' end
    ), '') as left_out,
    cast(rows_count as integer) as rows_count,
    is_simulated
from checked
order by firm_code, year
