-- What this warehouse said on one day about on-demand prices of 8-GPU machines, beside what it says now about that same day.
SELECT
    now.provider,
    now.region,
    now.instance_type,
    then.usd_per_hour AS usd_per_hour_known_then,
    now.usd_per_hour AS usd_per_hour_known_now,
    then.known_from,
    now.source
FROM marts.price_at('2026-06-15') AS now
LEFT JOIN marts.price_known('2026-06-15', '2026-08-15') AS then USING (series_id)
WHERE now.purchase_option = 'on_demand' AND now.gpu_count = 8
ORDER BY now.provider, now.region, now.instance_type;
