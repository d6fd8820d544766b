{{ stage_table('listed_firm_links', [
    ['firm_code', 'varchar'],
    ['year', 'integer'],
    ['partner_code', 'varchar'],
    ['role', 'varchar'],
    ['amount_yuan', 'double'],
], drawn=true) }}
