-- How did the use from which owning pays move over two years, month by month, against the cheapest machine of the same shape?
SELECT
    on_date,
    server,
    base_break_even_utilisation_share,
    comparator_provider,
    comparator_count,
    price_basis,
    price_age_days
FROM bi.break_even
WHERE
    model = 'Llama-3.1-70B'
    AND precision = 'fp8'
    AND workload = 'business_hours_1024_1024'
    AND window_days = 30
    AND comparator = 'cheapest'
    AND base_break_even_utilisation_share IS NOT NULL
    AND on_date = last_day(on_date)
    AND on_date > (SELECT max(on_date) FROM bi.break_even) - INTERVAL 2 YEARS
ORDER BY server, on_date;
