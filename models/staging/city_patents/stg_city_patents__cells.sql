{{ stage_cells('city_patents', keys=['city_code', 'city_name', 'year'], place_code='city_code', place_name='city_name') }}
