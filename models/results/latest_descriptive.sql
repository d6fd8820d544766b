select
    rows_of_run.*,
    models.analysis_id,
    models.variant,
    models.table_no,
    models.is_simulated,
    models.is_stale
from {{ source('results', 'descriptive').include(database=false) }} as rows_of_run
inner join {{ ref('latest_model').include(database=false) }} as models
    on rows_of_run.run_id = models.run_id and rows_of_run.study = models.study and rows_of_run.id = models.id
