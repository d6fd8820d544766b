-- The sample rule of the green TFP study: the cities that were prefecture-level in all of 2011-2022, so at the end of
-- 2010 already; without Tibet. They are 284, as many as the paper has.
{{ prefecture_sample(first_year=2011, last_year=2022, status_from=2010) }}
