{{ stage_table('industry_employment', [
    ['area_code', 'varchar'],
    ['ifr_code', 'varchar'],
    ['year', 'integer'],
    ['employees_persons', 'double'],
]) }}
