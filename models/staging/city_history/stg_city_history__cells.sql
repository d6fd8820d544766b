{{ stage_cells('city_history', keys=['city_code', 'city_name', 'year']) }}
