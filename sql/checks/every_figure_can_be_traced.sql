-- A cost names a price series and a measurement that are there, or says why it has no figure.
SELECT
    c.on_date,
    c.option,
    c.model,
    c.price_series_id,
    c.throughput_id
FROM marts.cost_per_token AS c
LEFT JOIN (SELECT DISTINCT series_id FROM marts.price_history) AS h ON c.price_series_id = h.series_id
LEFT JOIN marts.throughput AS t USING (throughput_id)
WHERE
    (c.price_series_id IS NOT NULL AND h.series_id IS NULL)
    OR (c.throughput_id IS NOT NULL AND t.throughput_id IS NULL)
    OR (c.base_usd_per_million_output_tokens IS NULL AND c.reason_no_figure IS NULL)
    OR (c.base_usd_per_million_output_tokens IS NOT NULL AND c.price_source IS NULL)
