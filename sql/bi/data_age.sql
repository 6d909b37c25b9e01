-- How old each source is in this version: status of its last refresh, date of its newest figure, and days from there to the day that the version is for.
SELECT
    s.source,
    s.status,
    s.is_bundled AS ships_with_the_project,
    s.newest_figure_on,
    date_diff('day', s.newest_figure_on, r.as_of_on) AS age_days,
    s.last_good_fetch_at,
    s.row_count,
    s.detail,
    r.as_of_on
FROM ops.source_status AS s
INNER JOIN ops.refreshes AS r USING (run_id)
WHERE r.run_id = (SELECT max_by(run_id, started_at) FROM ops.refreshes WHERE outcome = 'published')
ORDER BY s.is_bundled, s.source
