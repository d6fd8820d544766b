{{ pivot_place_years(
    ref('int_province_year_fill'), 'province_code', province_indicators(), "province_code <> '000000'"
) }}
