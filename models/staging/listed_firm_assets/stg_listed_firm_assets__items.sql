{{ stage_table('listed_firm_assets', [
    ['firm_code', 'varchar'],
    ['year', 'integer'],
    ['asset_class', 'varchar'],
    ['item_name', 'varchar'],
    ['amount_yuan', 'double'],
], drawn=true) }}
