{{ stage_cells('city_energy', keys=['city_code', 'city_name', 'year']) }}
