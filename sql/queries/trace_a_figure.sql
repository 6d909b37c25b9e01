-- Where a figure comes from: the price row and the measurement behind the cost of one option, with their sources, dates and licences.
SELECT
    c.option,
    c.base_usd_per_million_output_tokens,
    c.price_basis,
    p.usd_per_gpu_hour,
    p.observed_at,
    p.source_detail AS price_source,
    p.licence AS price_licence,
    t.output_tokens_per_second_per_gpu,
    t.measured_on,
    t.source_detail AS throughput_source
FROM marts.cost_per_token AS c
INNER JOIN marts.price_history AS p
    ON c.price_series_id = p.series_id AND c.price_as_of_on BETWEEN p.valid_from::DATE AND coalesce(p.valid_to, '9999-12-31')::DATE
INNER JOIN marts.throughput AS t USING (throughput_id)
WHERE
    c.on_date = (SELECT max(on_date) FROM marts.cost_per_token)
    AND c.model = 'Llama-3.1-70B'
    AND c.precision = 'fp8'
    AND c.workload = 'business_hours_1024_1024'
    AND c.window_days = 30
ORDER BY c.base_usd_per_million_output_tokens;
