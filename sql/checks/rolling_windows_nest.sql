-- A longer window holds every price of a shorter one, so its least is not greater and its greatest not less.
SELECT
    a.series_id,
    a.on_date,
    a.window_days,
    b.window_days AS longer_window_days
FROM marts.gpu_price_rolling AS a
INNER JOIN marts.gpu_price_rolling AS b ON a.series_id = b.series_id AND a.on_date = b.on_date AND a.window_days < b.window_days
WHERE b.min_usd_per_gpu_hour > a.min_usd_per_gpu_hour OR b.max_usd_per_gpu_hour < a.max_usd_per_gpu_hour
