-- What is the cheapest on-demand price of every accelerator, last known, and how old is it?
SELECT
    gpu,
    first(provider ORDER BY usd_per_gpu_hour, provider, price_age_days) AS provider,
    min(usd_per_gpu_hour) AS usd_per_gpu_hour,
    first(price_age_days ORDER BY usd_per_gpu_hour, provider, price_age_days) AS price_age_days,
    count(DISTINCT provider) AS seller_count
FROM bi.price_today
WHERE purchase_option = 'on_demand' AND gpu IS NOT NULL AND usd_per_gpu_hour IS NOT NULL AND is_on_sale
GROUP BY gpu
ORDER BY usd_per_gpu_hour, gpu;
