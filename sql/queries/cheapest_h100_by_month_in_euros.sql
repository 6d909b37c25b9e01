-- The cheapest on-demand H100 of each month in euros, at the rate of the month's last day.
WITH least AS (
    SELECT
        on_date,
        min(mean_usd_per_gpu_hour) AS usd_per_gpu_hour,
        first(provider ORDER BY mean_usd_per_gpu_hour, provider) AS provider,
        count(DISTINCT provider) AS seller_count
    FROM bi.price_rolling
    WHERE gpu = 'h100-sxm-80' AND purchase_option = 'on_demand' AND window_days = 30 AND on_date = last_day(on_date)
    GROUP BY on_date
)

SELECT
    l.on_date,
    l.provider,
    l.seller_count,
    l.usd_per_gpu_hour,
    l.usd_per_gpu_hour / f.units_per_eur AS eur_per_gpu_hour,
    f.on_date AS rate_on
FROM least AS l
ASOF LEFT JOIN (SELECT on_date, units_per_eur FROM marts.fx_rate WHERE currency = 'USD') AS f ON f.on_date <= l.on_date
ORDER BY l.on_date;
