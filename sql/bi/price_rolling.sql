-- Rolling price of each series by day and window with what the series is; price_age_days counts from the day on which the source last showed the price.
SELECT
    r.on_date,
    r.window_days,
    h.provider,
    h.region,
    h.country,
    h.instance_type,
    h.gpu,
    h.gpu_count,
    h.purchase_option,
    h.commitment_months,
    r.mean_usd_per_gpu_hour,
    r.volatility_usd_per_gpu_hour,
    r.min_usd_per_gpu_hour,
    r.max_usd_per_gpu_hour,
    r.last_usd_per_gpu_hour,
    r.covered_share,
    r.change_count,
    date_diff('day', r.last_observed_on, r.on_date) AS price_age_days,
    r.series_id
FROM marts.gpu_price_rolling AS r
-- What a series is, by its last row: a sort of the whole history would take ten times as long.
INNER JOIN (
    SELECT series_id, max(valid_from) AS valid_from FROM marts.price_history GROUP BY series_id
) AS last USING (series_id)
INNER JOIN marts.price_history AS h ON h.series_id = last.series_id AND h.valid_from = last.valid_from
