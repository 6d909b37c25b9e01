-- Every change of a rented price in the year before the day of the version, newest first: what it was, what it became. Only a change of the seller's own amount is a move; an exchange rate is none.
-- stored: each move needs the price before it, which takes a sort of the whole history.
WITH step AS (
    SELECT
        series_id,
        valid_from,
        native_amount,
        lag(native_amount) OVER before AS native_amount_before,
        lag(usd_per_gpu_hour) OVER before AS usd_per_gpu_hour_before,
        lag(observed_at) OVER before AS before_observed_at
    FROM marts.price_history
    WINDOW before AS (PARTITION BY series_id ORDER BY valid_from)
),

moved AS (
    SELECT s.*, v.as_of_on
    FROM step AS s
    CROSS JOIN (SELECT max(price_as_of_on + price_age_days::INTEGER) AS as_of_on FROM marts.price_today) AS v
    WHERE
        abs(s.native_amount / s.native_amount_before - 1) > 0.0005
        AND s.valid_from::DATE BETWEEN v.as_of_on - 365 AND v.as_of_on
)

SELECT
    p.valid_from::DATE AS moved_on,
    date_diff('day', moved_on, m.as_of_on) AS moved_days_ago,
    CASE WHEN p.native_amount < m.native_amount_before THEN 'cut' ELSE 'rise' END AS direction,
    p.provider,
    p.seller,
    p.region,
    p.country,
    p.instance_type,
    p.gpu,
    p.gpu_count,
    p.purchase_option,
    p.commitment_months,
    m.usd_per_gpu_hour_before,
    p.usd_per_gpu_hour,
    p.native_amount / m.native_amount_before - 1 AS change_ratio,
    p.usd_per_gpu_hour / f.units_per_eur AS eur_per_gpu_hour,
    m.before_observed_at::DATE AS before_as_of_on,
    p.source,
    p.source_detail,
    p.licence,
    p.series_id
FROM moved AS m
INNER JOIN marts.price_history AS p USING (series_id, valid_from)
ASOF LEFT JOIN (SELECT on_date, units_per_eur FROM marts.fx_rate WHERE currency = 'USD') AS f ON f.on_date <= p.valid_from::DATE
ORDER BY moved_on DESC, p.provider, p.region, p.series_id, p.valid_from DESC
