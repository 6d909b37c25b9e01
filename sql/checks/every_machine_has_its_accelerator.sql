-- severity: warning
-- A machine whose accelerator nobody mapped is compared with nothing: it belongs into the table of machines or among the names.
SELECT
    a.provider,
    a.source,
    a.series_count,
    a.detail
FROM marts.price_anomaly AS a
WHERE a.anomaly_kind = 'unmapped'
