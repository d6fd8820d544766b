{{ stage_cells('province_sectors', keys=['province_code', 'province_name', 'year'], place='province') }}
