-- France only, the EU only, anywhere: the cheapest way in each, how many sellers on demand are known there, and whether anything was compared.
SELECT
    country_group,
    workload,
    answer,
    option,
    provider,
    country,
    base_eur_per_million_output_tokens,
    rent_usd_per_million_output_tokens,
    seller_count,
    sellers,
    rival_answer IS NOT NULL AS was_compared
FROM bi.own_or_rent
WHERE model = 'Llama-3.1-70B' AND precision = 'fp8' AND country_group IN ('world', 'EU', 'FR')
ORDER BY workload, country_group;
