-- The cell used for a province (or the nation), year and indicator, by the rule of the cities.
{{ select_cells(ref('int_province_cells_resolve'), 'province_code', 'cells.reason is null') }}
