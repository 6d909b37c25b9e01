-- The steadiest and the wildest prices of the last 90 days: standard deviation over time as a share of the mean, by purchase option and device.
SELECT
    h.purchase_option,
    h.gpu,
    count(*) AS series,
    median(r.volatility_usd_per_gpu_hour / r.mean_usd_per_gpu_hour) AS median_volatility_share,
    max(r.volatility_usd_per_gpu_hour / r.mean_usd_per_gpu_hour) AS greatest_volatility_share,
    avg(r.change_count) AS mean_change_count
FROM marts.gpu_price_rolling AS r
INNER JOIN (SELECT DISTINCT series_id, purchase_option, gpu FROM marts.price_history) AS h USING (series_id)
WHERE r.window_days = 90 AND r.on_date = (SELECT max(on_date) FROM marts.gpu_price_rolling WHERE covered_share >= 0.8)
GROUP BY h.purchase_option, h.gpu
ORDER BY median_volatility_share DESC;
