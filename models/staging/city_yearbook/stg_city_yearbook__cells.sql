{{ stage_cells(
    'city_yearbook',
    keys=['city_code', 'city_name', 'year', 'area_scope', 'vintage'],
    place_code='city_code',
    place_name='city_name'
) }}
