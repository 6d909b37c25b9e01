-- Every source in the newest refresh, also those that failed, are offline, skipped or switched off: how old its newest figure is, which of its rules did not hold, how many of its rows are in quarantine.
WITH last_run AS (SELECT max_by(run_id, started_at) AS run_id, max_by(as_of_on, started_at) AS as_of_on FROM ops.refreshes),

broken AS (
    SELECT c.table_name, count(*) AS broken_rule_count
    FROM ops.check_results AS c
    INNER JOIN last_run USING (run_id)
    WHERE NOT c.is_passed
    GROUP BY c.table_name
),

aside AS (
    SELECT q.table_name, count(*) AS quarantined_row_count FROM ops.quarantine AS q INNER JOIN last_run USING (run_id) GROUP BY q.table_name
)

SELECT
    s.source,
    s.status,
    s.status NOT IN ('ok', 'disabled', 'not_tried') AS is_troubled,
    s.is_bundled,
    s.newest_figure_on,
    date_diff('day', s.newest_figure_on, r.as_of_on) AS age_days,
    s.last_good_fetch_at,
    s.row_count,
    coalesce(b.broken_rule_count, 0) AS broken_rule_count,
    coalesce(a.quarantined_row_count, 0) AS quarantined_row_count,
    s.detail,
    r.as_of_on
FROM ops.source_status AS s
INNER JOIN last_run AS r USING (run_id)
LEFT JOIN broken AS b ON b.table_name = 'raw.' || s.source
LEFT JOIN aside AS a ON a.table_name = 'raw.' || s.source
ORDER BY s.is_bundled, s.source
