-- Every way to serve each model and workload on the day of the version, cheapest first (window of 30 days), with the age of its price; ways whose price is more than a year old stand last.
-- stored: it speaks of one day, and reads the long tables.
SELECT
    c.model,
    c.precision,
    c.workload,
    row_number() OVER (
        PARTITION BY c.model, c.workload
        ORDER BY
            c.price_age_days > 365,
            c.base_usd_per_million_output_tokens, c.option, c.provider, c.country, c.gpu, c.precision
    ) AS place,
    c.option,
    c.gpu,
    c.provider,
    c.country,
    c.low_usd_per_million_output_tokens,
    c.base_usd_per_million_output_tokens,
    c.high_usd_per_million_output_tokens,
    c.base_usd_per_million_total_tokens,
    c.base_eur_per_million_output_tokens,
    c.seller_count,
    c.is_per_gpu_price,
    c.market_p25_usd_per_million_output_tokens,
    c.market_median_usd_per_million_output_tokens,
    c.market_p75_usd_per_million_output_tokens,
    c.price_basis,
    c.price_as_of_on,
    c.price_age_days,
    c.on_date
FROM marts.cost_per_token AS c
WHERE
    c.on_date = (SELECT max(on_date) FROM marts.cost_per_token)
    AND c.window_days = 30
    AND c.base_usd_per_million_output_tokens IS NOT NULL
ORDER BY c.model, c.workload, place
