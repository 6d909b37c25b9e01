-- What is the cost of an owned server of eight H100 made of: capital, energy, space, maintenance, staff?
SELECT
    cost_part,
    low_fixed_usd_per_hour,
    base_fixed_usd_per_hour,
    high_fixed_usd_per_hour,
    fixed_cost_share,
    base_fixed_usd_per_hour * 8760 AS base_usd_per_year,
    price_age_days
FROM bi.owned_cost_breakdown
WHERE hardware = '8x-h100-sxm-80'
ORDER BY base_fixed_usd_per_hour DESC;
