-- The ways to serve each model, precision and workload in each group of countries on the day of the version: the cheapest owned server, on-demand machine, spot machine, commitment and API, each with its band, its seller and the age of its price; a price of more than a year competes no more. Own is a server of eight at the workload's use, where the group is: with the electricity, space and salaries of bi.site_cost.
-- stored: it speaks of one day, and reads the long tables.
WITH priced AS MATERIALIZED (
    SELECT
        on_date,
        model,
        precision,
        workload,
        utilisation_share,
        CASE
            WHEN option = 'owned' THEN 'own'
            WHEN option = 'api' THEN 'buy_tokens'
            WHEN option IN ('on_demand', 'spot') THEN option
            ELSE 'commit'
        END AS way,
        option,
        gpu,
        provider,
        country,
        low_usd_per_million_output_tokens,
        base_usd_per_million_output_tokens,
        high_usd_per_million_output_tokens,
        base_eur_per_million_output_tokens,
        base_usd_per_gpu_hour,
        output_tokens_per_second_per_gpu,
        price_as_of_on,
        price_age_days
    FROM marts.cost_per_token
    WHERE
        on_date = (SELECT max(on_date) FROM marts.cost_per_token)
        AND window_days = 30
        AND base_usd_per_million_output_tokens IS NOT NULL
        -- As for the market's index and for `breakeven decide`: what was last seen longer ago is nobody's offer.
        AND price_age_days <= 365
),

-- The same servers where else a cost of electricity is known. States and provinces are left out: no group is one.
placed AS MATERIALIZED (
    SELECT *, TRUE AS is_as_priced FROM priced
    UNION ALL
    SELECT
        p.* REPLACE (
            there.electricity_area AS country,
            p.low_usd_per_million_output_tokens
            * (there.low_fixed_usd_per_hour + p.utilisation_share * there.low_variable_usd_per_hour)
            / (here.low_fixed_usd_per_hour + p.utilisation_share * here.low_variable_usd_per_hour) AS low_usd_per_million_output_tokens,
            p.base_usd_per_million_output_tokens
            * (there.base_fixed_usd_per_hour + p.utilisation_share * there.base_variable_usd_per_hour)
            / (here.base_fixed_usd_per_hour + p.utilisation_share * here.base_variable_usd_per_hour) AS base_usd_per_million_output_tokens,
            p.high_usd_per_million_output_tokens
            * (there.high_fixed_usd_per_hour + p.utilisation_share * there.high_variable_usd_per_hour)
            / (here.high_fixed_usd_per_hour + p.utilisation_share * here.high_variable_usd_per_hour) AS high_usd_per_million_output_tokens,
            p.base_eur_per_million_output_tokens
            * (there.base_fixed_usd_per_hour + p.utilisation_share * there.base_variable_usd_per_hour)
            / (here.base_fixed_usd_per_hour + p.utilisation_share * here.base_variable_usd_per_hour) AS base_eur_per_million_output_tokens,
            (there.base_fixed_usd_per_hour + p.utilisation_share * there.base_variable_usd_per_hour)
            / there.gpu_count AS base_usd_per_gpu_hour
        ),
        FALSE AS is_as_priced
    FROM priced AS p
    INNER JOIN bi.owned_cost_by_area AS here ON here.gpu = p.gpu AND here.electricity_area = p.country AND here.gpu_count = 8
    INNER JOIN bi.owned_cost_by_area AS there ON there.hardware = here.hardware
    WHERE
        p.way = 'own'
        AND NOT contains(there.electricity_area, '-')
        AND there.electricity_area NOT IN (SELECT country FROM priced WHERE way = 'own' AND country IS NOT NULL)
),

-- An API serves a question where it says no precision or that one.
question AS (SELECT DISTINCT model, precision, workload, utilisation_share FROM priced WHERE way <> 'buy_tokens'),

-- Of the offers of one country, only the cheapest of each way can be the cheapest of a group.
of_country AS MATERIALIZED (
    SELECT *
    FROM placed
    WHERE way <> 'buy_tokens'
    QUALIFY row_number() OVER (
        PARTITION BY country, model, precision, workload, way ORDER BY base_usd_per_million_output_tokens, option, provider, gpu
    ) = 1
),

all_groups AS (
    SELECT unnest(['world', 'EU', 'FR', 'US']) AS country_group
    UNION
    SELECT country AS country_group FROM marts.price_today WHERE country IS NOT NULL
),

-- What stands in a group: rented machines of its countries (anywhere also takes what does not say where it stands), owned servers, and
-- APIs anywhere, as they do not say where they compute. Where an owned server's electricity is not known for the group itself, that of
-- another stands in, named as its country.
eligible AS (
    SELECT unnest(['world', p.country, CASE WHEN list_contains(marts.eu_countries(), p.country) THEN 'EU' END]) AS country_group, p.*
    FROM of_country AS p
    WHERE p.way <> 'own'
    UNION ALL
    SELECT g.country_group, p.* FROM of_country AS p CROSS JOIN all_groups AS g WHERE p.way = 'own'
    UNION ALL
    SELECT 'world' AS country_group, p.* REPLACE (q.precision AS precision)
    FROM placed AS p
    INNER JOIN question AS q ON q.model = p.model AND q.workload = p.workload AND coalesce(p.precision, q.precision) = q.precision
    WHERE p.way = 'buy_tokens'
),

-- Sellers of a way in a group whose price is known, each once: what the claim about the cheapest stands on.
sellers AS (
    SELECT country_group, model, precision, workload, way, count(DISTINCT provider) AS seller_count
    FROM (
        SELECT
            unnest(['world', country, CASE WHEN list_contains(marts.eu_countries(), country) THEN 'EU' END]) AS country_group,
            model, precision, workload, way, provider
        FROM priced
        WHERE way NOT IN ('own', 'buy_tokens')
        UNION ALL
        SELECT country_group, model, precision, workload, way, provider FROM eligible WHERE way = 'buy_tokens'
    )
    GROUP BY ALL
),

best AS (
    SELECT *
    FROM eligible
    WHERE
        country_group IS NOT NULL
        -- Placed elsewhere, a server is of that place, and that of the Union also of each country of it.
        AND (
            way <> 'own'
            OR is_as_priced
            OR country = country_group
            OR (starts_with(country, 'EU') AND (country_group = 'EU' OR list_contains(marts.eu_countries(), country_group)))
        )
    QUALIFY row_number() OVER (
        PARTITION BY country_group, model, precision, workload, way
        ORDER BY
            -- An owned server's electricity: of the place itself, else of the Union that it lies in, else of elsewhere.
            CASE
                WHEN way <> 'own' OR country = country_group THEN 0
                WHEN starts_with(country, 'EU') AND (country_group = 'EU' OR list_contains(marts.eu_countries(), country_group)) THEN 1
                ELSE 2
            END,
            base_usd_per_million_output_tokens, option, provider, gpu
    ) = 1
)

SELECT
    b.on_date,
    b.country_group,
    b.model,
    b.precision,
    b.workload,
    b.utilisation_share,
    b.way,
    row_number() OVER (
        PARTITION BY b.country_group, b.model, b.precision, b.workload ORDER BY b.base_usd_per_million_output_tokens, b.way
    ) AS place,
    b.option,
    b.gpu,
    b.provider,
    b.country,
    b.low_usd_per_million_output_tokens,
    b.base_usd_per_million_output_tokens,
    b.high_usd_per_million_output_tokens,
    b.base_eur_per_million_output_tokens,
    b.base_usd_per_gpu_hour,
    b.output_tokens_per_second_per_gpu,
    b.price_as_of_on,
    b.price_age_days,
    s.seller_count
FROM best AS b
LEFT JOIN sellers AS s USING (country_group, model, precision, workload, way)
ORDER BY b.country_group, b.model, b.precision, b.workload, place
