{{ stage_cells('city_reports', keys=['city_code', 'city_name', 'year']) }}
