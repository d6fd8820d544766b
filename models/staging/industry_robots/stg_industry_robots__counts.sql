{{ stage_table('industry_robots', [
    ['country', 'varchar'],
    ['ifr_code', 'varchar'],
    ['year', 'integer'],
    ['robots_installed', 'double'],
    ['robots_stock', 'double'],
]) }}
