-- Which rules did not hold in the newest refresh, how many rows broke them, and does that stop anything? Where all held, the counts say so.
SELECT
    rule_kind,
    severity,
    count(*) AS rules,
    count(*) FILTER (NOT is_passed) AS broken,
    sum(failing_count) AS failing_rows,
    string_agg(table_name || ' ' || rule, '; ' ORDER BY table_name, rule) FILTER (NOT is_passed) AS which
FROM ops.check_results
WHERE run_id = (SELECT max_by(run_id, started_at) FROM ops.refreshes)
GROUP BY rule_kind, severity
ORDER BY broken DESC, rule_kind, severity;
