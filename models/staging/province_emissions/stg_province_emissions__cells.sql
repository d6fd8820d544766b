{{ stage_cells('province_emissions', keys=['province_code', 'province_name', 'year'], place='province') }}
