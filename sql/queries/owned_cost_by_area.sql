-- What does an hour of each owned server cost, idle and at full use, where electricity, space and salaries are those of a place?
SELECT
    b.hardware,
    c.electricity_area,
    sum(b.base_fixed_usd_per_hour * f.factor) AS fixed_usd_per_hour,
    sum((b.base_fixed_usd_per_hour + b.base_variable_usd_per_hour) * f.factor) AS full_use_usd_per_hour,
    sum(b.base_fixed_eur_per_hour * f.factor) AS fixed_eur_per_hour,
    any_value(c.electricity_usd_per_kwh) AS electricity_usd_per_kwh,
    max(b.price_age_days) AS price_age_days
FROM bi.owned_cost_breakdown AS b
INNER JOIN bi.site_cost AS here ON here.electricity_area = b.electricity_area
CROSS JOIN bi.site_cost AS c
CROSS JOIN LATERAL (
    SELECT CASE b.cost_part
        WHEN 'energy' THEN c.electricity_usd_per_kwh / here.electricity_usd_per_kwh
        WHEN 'space' THEN c.colocation_usd_per_kw_month / here.colocation_usd_per_kw_month
        WHEN 'staff' THEN c.staff_usd_per_fte_year / here.staff_usd_per_fte_year
        ELSE 1
    END AS factor
) AS f
WHERE c.electricity_area IN ('US', 'FR', 'DE', 'FI', 'EU27_2020') AND b.price_age_days <= 365
GROUP BY b.hardware, c.electricity_area
ORDER BY b.hardware, fixed_usd_per_hour, c.electricity_area;
