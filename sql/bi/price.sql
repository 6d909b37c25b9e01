-- Every price interval in flat form, newest first, in euros at the rate of the day on which it began; price_age_days counts from the last confirmation to the day of the version.
SELECT
    p.provider,
    p.seller,
    p.region,
    p.country,
    p.instance_type,
    p.gpu,
    p.form_factor,
    p.gpu_count,
    p.purchase_option,
    p.commitment_months,
    p.usd_per_gpu_hour,
    p.usd_per_hour,
    p.usd_per_gpu_hour / f.units_per_eur AS eur_per_gpu_hour,
    p.currency,
    p.native_amount,
    p.valid_from,
    p.valid_to,
    p.observed_at,
    date_diff('day', p.observed_at::DATE, v.as_of_on) AS price_age_days,
    p.source,
    p.source_detail,
    p.licence,
    p.series_id
FROM marts.price_history AS p
CROSS JOIN (SELECT max_by(as_of_on, started_at) AS as_of_on FROM ops.refreshes WHERE outcome = 'published') AS v
-- The rate of each day: an ASOF join with the prices themselves would sort them all.
LEFT JOIN (
    SELECT d.on_date, r.units_per_eur
    FROM (SELECT unnest(range(min(valid_from)::DATE, max(valid_from)::DATE + 1, INTERVAL 1 DAY))::DATE AS on_date FROM marts.price_history) AS d
    ASOF LEFT JOIN (SELECT on_date, units_per_eur FROM marts.fx_rate WHERE currency = 'USD') AS r ON r.on_date <= d.on_date
) AS f ON f.on_date = p.valid_from::DATE
ORDER BY p.valid_from DESC, p.series_id
