-- What does it cost to ask for a place: the cheapest way and the cheapest rent there, against anywhere? Below zero where owning there costs less than in the United States, whose tariffs anywhere has.
SELECT
    here.country_group,
    here.answer,
    here.base_usd_per_million_output_tokens,
    here.base_usd_per_million_output_tokens / anywhere.base_usd_per_million_output_tokens - 1 AS surcharge_ratio,
    here.rent_usd_per_million_output_tokens / anywhere.rent_usd_per_million_output_tokens - 1 AS rent_surcharge_ratio,
    here.seller_count
FROM bi.own_or_rent AS here
INNER JOIN bi.own_or_rent AS anywhere USING (model, precision, workload)
WHERE anywhere.country_group = 'world' AND model = 'Llama-3.1-70B' AND precision = 'fp8' AND workload = 'steady_1024_1024'
ORDER BY here.country_group;
