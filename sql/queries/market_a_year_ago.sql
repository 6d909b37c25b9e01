-- What did the market ask for an H100 on demand a year ago and today, over how many sellers each?
SELECT
    day.on_date,
    m.seller_count,
    m.cheapest_usd_per_gpu_hour,
    m.p25_usd_per_gpu_hour,
    m.median_usd_per_gpu_hour,
    m.p75_usd_per_gpu_hour,
    m.last_known_share
FROM (SELECT unnest([max(held_until_on), max(held_until_on) - 365]) AS on_date FROM bi.market_history) AS day
LEFT JOIN bi.market_history AS m
    ON
        day.on_date BETWEEN m.on_date AND m.held_until_on
        AND m.gpu = 'h100-sxm-80'
        AND m.purchase_option = 'on_demand'
        AND m.country_group = 'world'
        AND m.trust_group = 'professional'
ORDER BY day.on_date;
