{{ stage_cells('city_patents', keys=['city_code', 'city_name', 'year']) }}
