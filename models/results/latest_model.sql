-- The last result of each model of each study on the warehouse's own panels. Runs on a file of the user's (data_file)
-- are kept in results.model and left out here.
with dated as (
    select
        models.*,
        runs.started_at,
        runs.inputs,
        runs.is_simulated,
        runs.panel,
        runs.panel_hash,
        coalesce(runs.panel_hash <> present.hash, true) as is_stale,
        row_number() over (
            partition by models.study, models.id order by runs.started_at desc, runs.run_id desc
        ) as recency
    from {{ source('results', 'model').include(database=false) }} as models
    inner join {{ source('results', 'run').include(database=false) }} as runs on models.run_id = runs.run_id
    left join {{ source('meta', 'mart_hash').include(database=false) }} as present
        on present.schema_name = 'marts' and replace(runs.panel, 'marts.', '') = present.table_name
    where runs.data_file is null
)

select * exclude (recency)
from dated
where recency = 1
