-- severity: warning
-- What multiplies every figure is held against its own past: electricity three times away from the period before, a token price ten times.
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
            usd_per_million_cached_input_tokens::DOUBLE AS usd_per_million_cached_input_tokens
        FROM marts.token_price
        WHERE model IS NOT NULL
    )
    ON usd_per_million_input_tokens, usd_per_million_output_tokens, usd_per_million_cached_input_tokens
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
),

compared AS (
    SELECT *, lag(amount) OVER (PARTITION BY input, what, figure ORDER BY on_date NULLS FIRST) AS amount_before FROM stated
)

SELECT input, what, figure, on_date, amount, amount_before
FROM compared
WHERE amount > most_ratio * amount_before OR amount * most_ratio < amount_before
ORDER BY input, what, figure, on_date
