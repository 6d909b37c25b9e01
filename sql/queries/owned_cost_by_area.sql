-- What does an hour of each owned server cost, idle and at full use, in dollars and euros, and for the electricity of which area?
SELECT
    hardware,
    electricity_area,
    sum(base_fixed_usd_per_hour) AS fixed_usd_per_hour,
    sum(base_fixed_usd_per_hour + base_variable_usd_per_hour) AS full_use_usd_per_hour,
    sum(base_fixed_eur_per_hour) AS fixed_eur_per_hour,
    max(price_age_days) AS price_age_days
FROM bi.owned_cost_breakdown
GROUP BY hardware, electricity_area
ORDER BY hardware, electricity_area;
