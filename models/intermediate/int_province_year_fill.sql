-- Every province (and the nation), year and indicator, filled by the rule of the cities.
{{ fill_place_years(
    ref('int_province_years_span'), ref('int_province_cells_select'), 'province_code', 'spans.level = indicators.level'
) }}
