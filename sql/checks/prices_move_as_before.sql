-- severity: warning
-- A jump, or one factor for many prices at once, on the last day: a unit, a currency, or news that a person should look at.
SELECT
    a.anomaly_kind,
    a.on_date,
    a.provider,
    a.source,
    a.series_count,
    a.price_ratio,
    a.detail
FROM marts.price_anomaly AS a
WHERE a.anomaly_kind IN ('jump', 'shift') AND a.on_date >= CAST(getvariable('as_of') AS DATE) - 1
