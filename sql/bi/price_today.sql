-- What every seller asks on the day of the version: one row per series that is sold, in force or last known, with its age and source, whose law its seller is under and what its region is certified for. A seller with many regions or machines has many rows, so that an average over them is none of the market: bi.market_today gives each seller one vote.
SELECT
    p.provider,
    p.seller,
    p.region,
    p.country,
    p.countries,
    CASE
        WHEN list_has_all(marts.eu_countries(), string_split(coalesce(p.country, p.countries), ', ')) THEN TRUE
        WHEN NOT list_has_any(marts.eu_countries(), string_split(coalesce(p.country, p.countries), ', ')) THEN FALSE
    END AS is_in_the_eu,
    p.sku,
    p.instance_type,
    p.gpu,
    p.form_factor,
    p.gpu_count,
    p.is_per_gpu_price,
    p.purchase_option,
    p.commitment_months,
    p.commitment_days,
    p.trust_tier,
    f.headquarters_country,
    coalesce(f.is_verified, FALSE) AS is_jurisdiction_verified,
    c.certifications,
    p.usd_per_gpu_hour,
    p.eur_per_gpu_hour,
    p.usd_per_hour,
    p.eur_per_hour,
    p.native_amount,
    p.currency,
    p.price_basis,
    p.price_as_of_on,
    p.price_age_days,
    p.is_on_sale,
    p.withdrawn_on,
    p.stock,
    p.is_third_party,
    p.source,
    p.source_detail,
    p.source_url,
    p.licence,
    p.series_id
FROM marts.price_today AS p
LEFT JOIN marts.provider_fact AS f ON f.provider = p.provider
LEFT JOIN (
    SELECT provider, region, string_agg(certification, ', ' ORDER BY certification) AS certifications
    FROM marts.region_certification
    GROUP BY provider, region
) AS c ON c.provider = p.provider AND c.region = p.region
ORDER BY p.gpu, p.usd_per_gpu_hour, p.series_id
