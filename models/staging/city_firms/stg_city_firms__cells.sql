{{ stage_cells('city_firms', keys=['city_code', 'city_name', 'year']) }}
