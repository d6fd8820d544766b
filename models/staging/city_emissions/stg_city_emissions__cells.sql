{{ stage_cells('city_emissions', keys=['city_code', 'city_name', 'year'], place_code='city_code', place_name='city_name') }}
