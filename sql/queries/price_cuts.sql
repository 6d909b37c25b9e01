-- The largest changes of on-demand prices: what each series cost before and after.
SELECT
    provider,
    region,
    instance_type,
    valid_from::DATE AS changed_on,
    lag(usd_per_hour) OVER w AS usd_per_hour_before,
    usd_per_hour AS usd_per_hour_after,
    usd_per_hour / lag(usd_per_hour) OVER w - 1 AS change_share,
    source
FROM marts.price_history
WHERE purchase_option = 'on_demand'
WINDOW w AS (PARTITION BY series_id ORDER BY valid_from)
QUALIFY abs(change_share) > 0.05
ORDER BY abs(change_share) DESC;
