{{ stage_cells('province_energy', keys=['province_code', 'province_name', 'year'], place='province') }}
