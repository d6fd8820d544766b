-- The cell used for a city, year and indicator: only the whole city, never its urban districts.
{{ select_cells(
    ref('int_city_cells_resolve'), 'city_code', "cells.reason is null and cells.area_scope = 'whole_city'"
) }}
