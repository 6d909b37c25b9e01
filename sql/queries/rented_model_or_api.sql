-- Serving gpt-oss-120b: what does a million output tokens cost on rented and owned machines, and what at each API?
SELECT
    option,
    precision,
    gpu,
    provider,
    country,
    base_usd_per_million_output_tokens,
    base_eur_per_million_output_tokens,
    price_age_days
FROM bi.cheapest_today
WHERE model = 'gpt-oss-120b' AND workload = 'business_hours_1024_1024'
ORDER BY base_usd_per_million_output_tokens, option, provider
LIMIT 25;
