-- Every source in the newest refresh, also those that failed, are offline, skipped or switched off: how old its newest figure is, which of its rules did not hold, how many of its rows are in quarantine.
WITH last_run AS (SELECT max_by(run_id, started_at) AS run_id, max_by(as_of_on, started_at) AS as_of_on FROM ops.refreshes)

SELECT
    s.source,
    s.status,
    s.status NOT IN ('ok', 'disabled', 'not_tried') AS is_troubled,
    s.is_bundled,
    s.newest_figure_on,
    date_diff('day', s.newest_figure_on, r.as_of_on) AS age_days,
    s.last_good_fetch_at,
    s.row_count,
    s.broken_rule_count,
    s.quarantined_row_count,
    s.detail,
    r.as_of_on
FROM ops.source_status AS s
INNER JOIN last_run AS r USING (run_id)
ORDER BY s.is_bundled, s.source
