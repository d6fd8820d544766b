{{ pivot_place_years(
    ref('int_city_year_fill'), 'city_code', city_indicators(),
    'year between ' ~ var('first_year') ~ ' and ' ~ var('last_year')
) }}
