-- What is known of the MI300X: rented by the GPU-hour (also where a seller names no machine size), and bought?
SELECT
    'rent' AS way,
    provider AS seller,
    purchase_option AS what,
    gpu_count,
    usd_per_gpu_hour AS usd,
    'USD per GPU-hour' AS unit,
    price_age_days
FROM bi.price_today
WHERE gpu LIKE 'mi300x%'
UNION ALL
SELECT 'buy', source_detail, hardware, gpu_count, base_usd, 'USD', price_age_days
FROM bi.hardware_price
WHERE gpu LIKE 'mi300x%'
ORDER BY ALL;
