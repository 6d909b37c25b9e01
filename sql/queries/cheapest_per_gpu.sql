-- What is the cheapest on-demand price of every accelerator, last known, and how old is it?
SELECT
    gpu,
    arg_min(provider, usd_per_gpu_hour) AS provider,
    min(usd_per_gpu_hour) AS usd_per_gpu_hour,
    arg_min(price_age_days, usd_per_gpu_hour) AS price_age_days,
    count(DISTINCT provider) AS seller_count
FROM bi.price_today
WHERE purchase_option = 'on_demand' AND gpu IS NOT NULL AND usd_per_gpu_hour IS NOT NULL AND is_on_sale
GROUP BY gpu
ORDER BY usd_per_gpu_hour, gpu;
