{{ stage_cells('province_yearbook', keys=['province_code', 'province_name', 'year'], place='province') }}
