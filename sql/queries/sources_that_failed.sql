-- Can today's figures be trusted: which sources were to be read and were not, and why?
SELECT source, status, newest_figure_on, age_days, detail
FROM bi.data_health
WHERE is_troubled
ORDER BY status, source;
