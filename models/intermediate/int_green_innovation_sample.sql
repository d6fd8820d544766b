-- The sample for the claims of the green innovation essay, which names none: prefecture-level cities of 2006-2022
-- without Tibet.
{{ prefecture_sample(first_year=2006, last_year=2022, status_from=2006) }}
