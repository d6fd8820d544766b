{{ stage_cells(
    'province_yearbook',
    keys=['province_code', 'province_name', 'year'],
    place_code='province_code',
    place_name='province_name'
) }}
