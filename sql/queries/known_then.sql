-- What this warehouse said on one day about on-demand prices of 8-GPU machines, beside what it says now about that same day.
SELECT
    held.provider,
    held.region,
    held.instance_type,
    said.usd_per_hour AS usd_per_hour_known_then,
    held.usd_per_hour AS usd_per_hour_known_now,
    said.known_from,
    held.source
FROM marts.price_at('2026-06-15') AS held
LEFT JOIN marts.price_known('2026-06-15', '2026-08-15') AS said USING (series_id)
WHERE held.purchase_option = 'on_demand' AND held.gpu_count = 8
ORDER BY held.provider, held.region, held.instance_type;
