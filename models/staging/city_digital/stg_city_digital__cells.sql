{{ stage_cells('city_digital', keys=['city_code', 'city_name', 'year']) }}
