-- Which sources carry figures older than 45 days, whatever their status says?
SELECT source, status, newest_figure_on, age_days, is_bundled, detail
FROM bi.data_health
WHERE age_days > 45
ORDER BY age_days DESC, source;
