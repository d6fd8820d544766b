{{ stage_cells('city_green_finance', keys=['city_code', 'city_name', 'year']) }}
