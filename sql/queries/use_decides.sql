-- How does the answer change with use: business hours against around the clock, for every model anywhere?
SELECT
    model,
    precision,
    workload,
    utilisation_share,
    answer,
    saving_share,
    is_clear,
    break_even_utilisation_share,
    oldest_price_age_days
FROM bi.own_or_rent
WHERE country_group = 'world'
ORDER BY model, precision, workload;
