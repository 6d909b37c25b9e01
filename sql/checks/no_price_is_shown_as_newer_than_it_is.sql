-- A figure of a day rests on a price seen that day or before, and its age counts from there.
SELECT
    on_date,
    price_series_id,
    price_as_of_on,
    price_age_days
FROM marts.cost_per_token
WHERE price_as_of_on > on_date OR price_age_days <> date_diff('day', price_as_of_on, on_date)
UNION ALL
SELECT
    on_date,
    price_series_id,
    price_as_of_on,
    price_age_days
FROM marts.break_even
WHERE price_as_of_on > on_date OR price_age_days <> date_diff('day', price_as_of_on, on_date)
