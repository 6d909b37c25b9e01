-- A mean outside the prices that it is of is an error of arithmetic.
SELECT
    series_id,
    on_date,
    window_days,
    mean_usd_per_gpu_hour,
    min_usd_per_gpu_hour,
    max_usd_per_gpu_hour
FROM marts.gpu_price_rolling
WHERE
    mean_usd_per_gpu_hour < min_usd_per_gpu_hour * (1 - 1e-9)
    OR mean_usd_per_gpu_hour > max_usd_per_gpu_hour * (1 + 1e-9)
    OR last_usd_per_gpu_hour NOT BETWEEN min_usd_per_gpu_hour AND max_usd_per_gpu_hour
