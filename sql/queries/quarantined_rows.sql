-- How many rows of each source are in quarantine, and what share of what was read is that?
SELECT
    source,
    row_count,
    quarantined_row_count,
    quarantined_row_count / nullif(row_count + quarantined_row_count, 0) AS quarantined_share,
    broken_rule_count
FROM bi.data_health
ORDER BY quarantined_row_count DESC, source;
