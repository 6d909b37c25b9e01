-- What moved in the last month, and where nothing did, when did each seller's prices move last?
SELECT
    provider,
    count(*) FILTER (moved_days_ago <= 31) AS moves_in_31_days,
    count(*) FILTER (moved_days_ago <= 31 AND direction = 'cut') AS cuts_in_31_days,
    max(moved_on) AS last_moved_on,
    first(gpu ORDER BY moved_on DESC, gpu, change_ratio) AS last_moved_gpu,
    first(change_ratio ORDER BY moved_on DESC, gpu, change_ratio) AS last_change_ratio
FROM bi.what_moved
GROUP BY provider
ORDER BY moves_in_31_days DESC, last_moved_on DESC, provider;
