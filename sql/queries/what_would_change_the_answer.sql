-- At which rented price would the answer flip, and how far is today's price from that?
SELECT
    model,
    precision,
    workload,
    answer,
    rent_gpu,
    rent_usd_per_gpu_hour,
    even_rent_usd_per_gpu_hour,
    rent_usd_per_gpu_hour / even_rent_usd_per_gpu_hour - 1 AS distance_ratio,
    seller_count
FROM bi.own_or_rent
WHERE country_group = 'world' AND even_rent_usd_per_gpu_hour IS NOT NULL
ORDER BY abs(rent_usd_per_gpu_hour / even_rent_usd_per_gpu_hour - 1), model, precision, workload;
