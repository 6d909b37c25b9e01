-- The assumptions behind today's cheapest owned server, each with its band, its source, and whether it is ours.
SELECT DISTINCT
    a.assumption,
    a.scope,
    a.low,
    a.base,
    a.high,
    a.assumption_unit,
    a.base_is_assumed,
    a.source_detail
FROM marts.cost_per_token AS c
INNER JOIN marts.cost_assumption AS a USING (assumption_set_id)
WHERE
    c.model = 'Llama-3.1-70B'
    AND c.option = 'owned'
    AND c.on_date = (SELECT max(on_date) FROM marts.cost_per_token)
    AND (a.scope IS NULL OR a.scope IN ('US', '8x-' || c.gpu))
ORDER BY a.assumption, a.scope NULLS FIRST;
