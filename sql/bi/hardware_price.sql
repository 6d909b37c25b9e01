-- Hardware prices by day, with their age on the day of the version.
SELECT
    h.hardware,
    h.hardware_kind,
    h.gpu,
    h.gpu_count,
    h.price_on,
    h.low_usd,
    h.base_usd,
    h.high_usd,
    h.is_estimated,
    h.is_band_assumed,
    date_diff('day', h.price_on, v.as_of_on) AS price_age_days,
    h.source_detail,
    h.source_url,
    h.licence
FROM marts.hardware_price AS h
CROSS JOIN (SELECT max_by(as_of_on, started_at) AS as_of_on FROM ops.refreshes WHERE outcome = 'published') AS v
