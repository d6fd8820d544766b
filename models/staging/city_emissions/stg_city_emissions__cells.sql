{{ stage_cells('city_emissions', keys=['city_code', 'city_name', 'year']) }}
