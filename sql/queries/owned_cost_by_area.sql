-- What does an hour of each owned server cost, idle and at full use, where electricity, space and salaries are those of a place?
SELECT
    hardware,
    electricity_area,
    base_fixed_usd_per_hour AS fixed_usd_per_hour,
    base_fixed_usd_per_hour + base_variable_usd_per_hour AS full_use_usd_per_hour,
    base_fixed_eur_per_hour AS fixed_eur_per_hour,
    electricity_usd_per_kwh,
    price_age_days
FROM bi.owned_cost_by_area
WHERE electricity_area IN ('US', 'FR', 'DE', 'FI', 'EU27_2020') AND price_age_days <= 365
ORDER BY hardware, fixed_usd_per_hour, electricity_area;
