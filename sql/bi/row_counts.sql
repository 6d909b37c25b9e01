-- What became of the rows of each source in the newest refresh, step by step, each count beside that of the refresh before: rows read, figures that they came to, rows in quarantine by rule, measurements left out by reason, prices of an unknown device or place.
WITH known AS (SELECT DISTINCT source FROM ops.source_status),

runs AS (
    SELECT run_id, row_number() OVER (ORDER BY started_at DESC) AS run_number
    FROM ops.refreshes
    WHERE outcome IN ('published', 'running') OR run_id = (SELECT max_by(run_id, started_at) FROM ops.refreshes)
    QUALIFY run_number <= 2
),

-- A table of several sources names them first in its key; any other bears the name of its source.
quarantined AS (
    SELECT run_id, rule, CASE WHEN first_key IN (FROM known) THEN first_key ELSE replace(table_name, 'raw.', '') END AS source
    FROM (SELECT run_id, rule, table_name, split_part(row_key, ' | ', 1) AS first_key FROM ops.quarantine)
),

counted AS (
    SELECT run_id, source, 'read' AS step, 'rows of the newest usable answers' AS reason, row_count FROM ops.source_status
    UNION ALL
    SELECT run_id, source, 'figures', 'what the rows of the newest usable answer came to', figure_count
    FROM ops.source_status WHERE figure_count IS NOT NULL
    UNION ALL
    SELECT run_id, source, 'quarantined', rule, count(*) FROM quarantined GROUP BY ALL
),

of_runs AS (
    SELECT
        c.source,
        c.step,
        c.reason,
        max(c.row_count) FILTER (r.run_number = 1) AS row_count,
        max(c.row_count) FILTER (r.run_number = 2) AS row_count_before
    FROM counted AS c
    INNER JOIN runs AS r USING (run_id)
    GROUP BY ALL
),

of_version AS (
    SELECT source, 'left out' AS step, reason, row_count FROM marts.throughput_cleaning WHERE handling = 'excluded'
    UNION ALL
    SELECT source, 'unknown', 'device', count(*) FROM marts.price_today WHERE gpu IS NULL GROUP BY source
    UNION ALL
    SELECT source, 'unknown', 'place', count(*) FROM marts.price_today WHERE country IS NULL GROUP BY source
),

all_counts AS (
    SELECT source, step, reason, coalesce(row_count, 0) AS row_count, row_count_before FROM of_runs
    UNION ALL
    SELECT source, step, reason, row_count, NULL::BIGINT FROM of_version
),

-- How old the newest figure of each source was in the newest refresh.
aged AS (
    SELECT s.source, date_diff('day', s.newest_figure_on, f.as_of_on) AS age_days
    FROM ops.source_status AS s
    INNER JOIN ops.refreshes AS f USING (run_id)
    INNER JOIN runs AS r USING (run_id)
    WHERE r.run_number = 1
)

SELECT b.source, b.step, b.reason, b.row_count, b.row_count_before, a.age_days
FROM all_counts AS b
LEFT JOIN aged AS a USING (source)
ORDER BY b.source, b.step, b.reason
