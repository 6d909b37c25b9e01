-- Where does a price stand in the market? One seller one vote: quartiles of the sellers' cheapest on-demand prices of each accelerator.
WITH vote AS (
    SELECT gpu, provider, min(usd_per_gpu_hour) AS usd_per_gpu_hour
    FROM bi.price_today
    WHERE purchase_option = 'on_demand' AND gpu IS NOT NULL AND usd_per_gpu_hour IS NOT NULL AND is_on_sale
    GROUP BY ALL
)

SELECT
    gpu,
    count(*) AS seller_count,
    min(usd_per_gpu_hour) AS least_usd_per_gpu_hour,
    quantile_cont(usd_per_gpu_hour, 0.25) AS p25_usd_per_gpu_hour,
    median(usd_per_gpu_hour) AS median_usd_per_gpu_hour,
    quantile_cont(usd_per_gpu_hour, 0.75) AS p75_usd_per_gpu_hour,
    string_agg(provider, ', ' ORDER BY usd_per_gpu_hour, provider) AS sellers
FROM vote
GROUP BY gpu
ORDER BY seller_count DESC, gpu;
