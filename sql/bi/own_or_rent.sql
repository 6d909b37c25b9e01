-- The answer of the day for each model, precision, workload and group of countries: own, rent, commit or buy tokens, by how much, against which rival and how many sellers, how old the prices are, and what would change it. Own is a server of eight at the workload's use, in the group. A mix (own the base, rent the peaks) needs the hours of a load and is in no column: `breakeven decide` weighs it.
-- stored: it speaks of one day, and reads the long tables.
WITH best AS MATERIALIZED (
    -- The cheaper of on demand and spot is what renting costs; the answer and its rival are ways of different kinds.
    SELECT *
    FROM (SELECT * REPLACE (CASE WHEN way IN ('on_demand', 'spot') THEN 'rent' ELSE way END AS way) FROM bi.ways)
    QUALIFY row_number() OVER (PARTITION BY country_group, model, precision, workload, way ORDER BY place) = 1
),

ranked AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY country_group, model, precision, workload ORDER BY place) AS rank FROM best
),

hour AS (
    SELECT hardware, electricity_area, gpu, base_fixed_usd_per_hour, base_variable_usd_per_hour, base_capex_usd, price_age_days
    FROM bi.owned_cost_by_area
    WHERE gpu_count = 8
),

-- The sellers behind it by name, cheapest first; how many they are and what they ask is as the market's index counts them.
asked AS (
    SELECT
        unnest([
            'world', p.country, CASE WHEN list_has_all(marts.eu_countries(), string_split(coalesce(p.country, p.countries), ', ')) THEN 'EU' END
        ]) AS country_group,
        p.gpu,
        p.seller,
        p.usd_per_gpu_hour AS usd
    FROM marts.price_today AS p
    WHERE
        p.purchase_option = 'on_demand'
        AND p.trust_tier IN ('datacenter', 'secure')
        AND p.usd_per_gpu_hour IS NOT NULL
        AND p.is_on_sale
),

named AS (
    SELECT country_group, gpu, string_agg(seller, ', ' ORDER BY usd, seller) AS sellers
    FROM (SELECT country_group, gpu, seller, min(usd) AS usd FROM asked GROUP BY ALL)
    GROUP BY country_group, gpu
),

market AS (
    SELECT m.*, n.sellers
    FROM marts.market_price AS m
    LEFT JOIN named AS n USING (country_group, gpu)
    WHERE
        m.purchase_option = 'on_demand'
        AND m.trust_group = 'professional'
        AND m.held_until_on = (SELECT max(held_until_on) FROM marts.market_price)
),

way AS (
    SELECT
        country_group,
        model,
        precision,
        workload,
        any_value(utilisation_share) AS utilisation_share,
        max(base_usd_per_million_output_tokens) FILTER (way = 'own') AS own_usd,
        max(base_usd_per_million_output_tokens) FILTER (way = 'rent') AS rent_usd,
        max(base_usd_per_million_output_tokens) FILTER (way = 'commit') AS commit_usd,
        max(base_usd_per_million_output_tokens) FILTER (way = 'buy_tokens') AS buy_usd,
        min(base_usd_per_million_output_tokens) FILTER (way <> 'own') AS other_usd,
        max(gpu) FILTER (way = 'own') AS own_gpu,
        max(country) FILTER (way = 'own') AS own_area,
        max(output_tokens_per_second_per_gpu) FILTER (way = 'own') AS own_rate,
        max(gpu) FILTER (way = 'rent') AS rent_gpu,
        max(option) FILTER (way = 'rent') AS rent_option,
        max(provider) FILTER (way = 'rent') AS rent_provider,
        max(gpu) FILTER (way = 'commit') AS commit_gpu,
        max(option) FILTER (way = 'commit') AS commit_option,
        max(provider) FILTER (way = 'commit') AS commit_provider,
        max(provider) FILTER (way = 'buy_tokens') AS buy_provider,
        max(base_usd_per_gpu_hour) FILTER (way = 'rent') AS rent_hour,
        max(price_age_days) AS oldest_price_age_days
    FROM best
    GROUP BY country_group, model, precision, workload
)

SELECT
    b.on_date,
    w.country_group,
    w.model,
    w.precision,
    w.workload,
    w.utilisation_share,
    b.way AS answer,
    b.option,
    b.gpu,
    b.provider,
    b.country,
    b.low_usd_per_million_output_tokens,
    b.base_usd_per_million_output_tokens,
    b.high_usd_per_million_output_tokens,
    b.base_eur_per_million_output_tokens,
    b.price_as_of_on,
    b.price_age_days,
    r.way AS rival_answer,
    r.option AS rival_option,
    r.gpu AS rival_gpu,
    r.provider AS rival_provider,
    r.base_usd_per_million_output_tokens AS rival_usd_per_million_output_tokens,
    r.price_age_days AS rival_price_age_days,
    1 - b.base_usd_per_million_output_tokens / r.base_usd_per_million_output_tokens AS saving_share,
    b.high_usd_per_million_output_tokens < r.low_usd_per_million_output_tokens AS is_clear,
    w.own_usd AS own_usd_per_million_output_tokens,
    w.rent_usd AS rent_usd_per_million_output_tokens,
    w.commit_usd AS commit_usd_per_million_output_tokens,
    w.buy_usd AS buy_usd_per_million_output_tokens,
    h.hardware AS own_server,
    h.electricity_area AS own_electricity_area,
    h.base_capex_usd AS capex_usd,
    h.price_age_days AS server_price_age_days,
    -- What the rival costs for an hour of the owned server's tokens is a rent like any other.
    marts.break_even_utilisation(
        h.base_fixed_usd_per_hour, h.base_variable_usd_per_hour, w.other_usd * w.own_rate * 8 * 0.0036
    ) AS break_even_utilisation_share,
    w.rent_gpu,
    w.rent_option,
    w.rent_provider,
    w.commit_gpu,
    w.commit_option,
    w.commit_provider,
    w.buy_provider,
    w.rent_hour AS rent_usd_per_gpu_hour,
    w.rent_hour * w.own_usd / w.rent_usd AS even_rent_usd_per_gpu_hour,
    coalesce(m.seller_count, 0) AS seller_count,
    m.sellers,
    m.cheapest_usd_per_gpu_hour AS least_usd_per_gpu_hour,
    m.p25_usd_per_gpu_hour,
    m.median_usd_per_gpu_hour,
    m.p75_usd_per_gpu_hour,
    w.oldest_price_age_days
FROM way AS w
INNER JOIN ranked AS b USING (country_group, model, precision, workload)
LEFT JOIN ranked AS r
    ON r.rank = 2 AND (r.country_group, r.model, r.precision, r.workload) = (w.country_group, w.model, w.precision, w.workload)
LEFT JOIN hour AS h ON h.gpu = w.own_gpu AND h.electricity_area = w.own_area
LEFT JOIN market AS m ON m.country_group = w.country_group AND m.gpu = w.rent_gpu
WHERE b.rank = 1
ORDER BY w.country_group, w.model, w.precision, w.workload
