{{ stage_cells('national_yearbook', keys=['national_code', 'national_name', 'year'], place='national') }}
