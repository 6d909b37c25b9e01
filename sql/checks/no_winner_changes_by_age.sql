-- severity: warning
-- The cheapest way to serve a model changed since the day before, and no price did: the winner of that day only grew too old.
WITH costs AS (
    SELECT *
    FROM marts.cost_per_token
    WHERE
        window_days = 30
        AND base_usd_per_million_output_tokens IS NOT NULL
        -- What is older stands in the table, but competes no more: a winner that passes this age has left.
        AND price_age_days <= 365
        AND on_date >= (SELECT max(on_date) FROM marts.cost_per_token) - INTERVAL 1 DAY
),

ranked AS (
    SELECT
        -- Tokens of a seller, whose precision nobody knows, compete with machines at each.
        c.* EXCLUDE (precision),
        asked.precision,
        row_number() OVER (
            PARTITION BY c.on_date, c.model, asked.precision, c.workload
            ORDER BY c.base_usd_per_million_output_tokens, c.option, c.provider, c.country, c.gpu
        ) AS place
    FROM (SELECT DISTINCT model, precision FROM costs) AS asked
    INNER JOIN costs AS c ON asked.model = c.model AND (c.precision IS NULL OR asked.precision = c.precision)
)

SELECT
    b.on_date,
    b.model,
    b.precision,
    b.workload,
    b.option AS winner_before,
    b.provider AS seller_before,
    b.price_age_days AS age_before,
    a.option AS winner,
    a.provider AS seller
FROM ranked AS b
INNER JOIN ranked AS a
    ON
        a.on_date = b.on_date + INTERVAL 1 DAY
        AND a.model = b.model
        AND a.precision IS NOT DISTINCT FROM b.precision
        AND a.workload = b.workload
        AND a.place = 1
LEFT JOIN ranked AS still
    ON
        still.on_date = a.on_date
        AND still.model = b.model
        AND still.precision IS NOT DISTINCT FROM b.precision
        AND still.workload = b.workload
        AND still.option = b.option
        AND still.provider IS NOT DISTINCT FROM b.provider
        AND still.country IS NOT DISTINCT FROM b.country
        AND still.gpu IS NOT DISTINCT FROM b.gpu
WHERE
    b.place = 1
    AND (still.on_date IS NULL OR (still.place > 1 AND still.price_basis <> b.price_basis AND still.price_as_of_on = b.price_as_of_on))
