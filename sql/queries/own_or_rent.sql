-- Own or rent, for one model and workload on the newest day: break-even use beside the workload's own use, against each comparator, with its sellers.
SELECT
    server,
    comparator,
    comparator_provider,
    utilisation_share,
    base_break_even_utilisation_share,
    utilisation_share > base_break_even_utilisation_share AS owning_wins,
    base_payback_months,
    seller_count,
    price_basis,
    price_age_days
FROM bi.break_even
WHERE
    model = 'Llama-3.1-70B'
    AND precision = 'fp8'
    AND workload = 'business_hours_1024_1024'
    AND window_days = 30
    AND on_date = (SELECT max(on_date) FROM bi.break_even)
ORDER BY server, comparator;
