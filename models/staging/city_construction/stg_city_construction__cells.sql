{{ stage_cells('city_construction', keys=['city_code', 'city_name', 'year']) }}
