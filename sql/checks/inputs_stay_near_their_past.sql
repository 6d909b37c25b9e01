-- severity: warning
-- What multiplies every figure is held against its own past: electricity three times away from the period before, a token price ten times,
-- the power of a site over that of its computers (PUE) half as much again as the surveys of the years before, the price of a server two and
-- a half times away from the quote before, that of a card five times (a device that is no longer made falls far), a measured rate five
-- times away from the one before of the same configuration. Assumptions are held against their last release (`near_its_last_release`).
-- Not the exchange: there a day is three times another, or below 0, as a matter of course.
WITH token AS (
    UNPIVOT (
        SELECT
            provider,
            model_as_named,
            source,
            valid_from_on,
            usd_per_million_input_tokens::DOUBLE AS usd_per_million_input_tokens,
            usd_per_million_output_tokens::DOUBLE AS usd_per_million_output_tokens,
            usd_per_million_cached_input_tokens::DOUBLE AS usd_per_million_cached_input_tokens,
            usd_per_million_batch_input_tokens::DOUBLE AS usd_per_million_batch_input_tokens,
            usd_per_million_batch_output_tokens::DOUBLE AS usd_per_million_batch_output_tokens
        FROM marts.token_price
        WHERE model IS NOT NULL
    )
    ON
        usd_per_million_input_tokens,
        usd_per_million_output_tokens,
        usd_per_million_cached_input_tokens,
        usd_per_million_batch_input_tokens,
        usd_per_million_batch_output_tokens
    INTO NAME figure VALUE amount
),

stated AS (
    SELECT
        'electricity' AS input,
        concat_ws(' ', area, consumer_class) AS what,
        'usd_per_kwh' AS figure,
        coalesce(period_to_on, source_on) AS on_date,
        usd_per_kwh AS amount,
        3.0 AS most_ratio
    FROM marts.electricity_price
    WHERE usd_per_kwh IS NOT NULL AND consumer_class <> 'wholesale_day_ahead'
    UNION ALL
    SELECT 'token price', concat_ws(' ', provider, model_as_named), figure, valid_from_on, amount, 10.0
    FROM token
    UNION ALL
    SELECT
        'hardware price',
        concat_ws(' ', hardware, hardware_kind),
        'base_usd',
        price_on,
        base_usd,
        CASE hardware_kind WHEN 'server' THEN 2.5 ELSE 5.0 END
    FROM marts.hardware_price
    UNION ALL
    SELECT
        'throughput',
        concat_ws(
            ' ', model, precision, gpu, gpu_count, engine, is_disaggregated, input_tokens, output_tokens, concurrency, scenario
        ),
        'output_tokens_per_second_per_gpu',
        measured_on,
        max(output_tokens_per_second_per_gpu),
        5.0
    FROM marts.throughput
    WHERE measured_on IS NOT NULL
    GROUP BY ALL
),

-- Surveys are readings of years; the assumption is the figure of today.
pue AS (
    SELECT 'PUE' AS input, 'all sites' AS what, 'ratio' AS figure, period_to_on AS on_date, base AS amount, 1.5 AS most_ratio
    FROM marts.assumption_reading
    WHERE assumption = 'pue' AND starts_with(scope, 'world') AND base IS NOT NULL
    UNION ALL
    SELECT 'PUE', 'all sites', 'ratio', DATE '9999-12-31', base, 1.5 FROM marts.cost_assumption WHERE assumption = 'pue'
),

compared AS (
    SELECT *, lag(amount) OVER (PARTITION BY input, what, figure ORDER BY on_date NULLS FIRST) AS amount_before
    FROM (FROM stated UNION ALL FROM pue)
)

SELECT input, what, figure, on_date, amount, amount_before
FROM compared
WHERE amount > most_ratio * amount_before OR amount * most_ratio < amount_before
ORDER BY input, what, figure, on_date
