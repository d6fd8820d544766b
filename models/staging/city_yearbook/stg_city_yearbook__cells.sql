{{ stage_cells('city_yearbook', keys=['city_code', 'city_name', 'year', 'area_scope', 'vintage']) }}
