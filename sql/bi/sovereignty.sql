-- What a requirement of sovereignty costs, by accelerator and way of renting: the least and the median price of the professional sellers that meet it, as the market counts them, how many there are, and the surcharge against anywhere; a requirement that no known seller meets has no price and 0 sellers. Whose law a seller is under is verified only where it says so.
-- stored: it speaks of one day, and counts every offer again for each requirement.
WITH offer AS MATERIALIZED (
    SELECT
        p.gpu,
        CASE WHEN p.purchase_option = 'commitment' THEN 'commitment_' || p.commitment_months || '_months' ELSE p.purchase_option END AS option,
        p.provider,
        p.seller,
        p.country,
        p.usd_per_gpu_hour,
        p.eur_per_gpu_hour,
        p.price_age_days,
        p.price_basis = 'current' AS is_current,
        p.is_third_party,
        f.headquarters_country,
        coalesce(f.is_verified, false) AS is_verified,
        -- Where it says only in which of several countries it may stand, it stands in the EU for certain where all of them do.
        list_has_all(marts.eu_countries(), string_split(coalesce(p.country, p.countries), ', ')) IS TRUE AS is_in_the_eu,
        list_contains(marts.eu_countries(), f.headquarters_country) AS is_of_the_eu,
        EXISTS (SELECT 1 FROM marts.region_certification AS c WHERE c.provider = p.provider AND c.region = p.region) AS is_certified
    FROM marts.price_today AS p
    LEFT JOIN marts.provider_fact AS f ON f.provider = p.provider
    WHERE p.gpu IS NOT NULL AND p.usd_per_gpu_hour IS NOT NULL AND p.trust_tier IN ('datacenter', 'secure') AND p.is_on_sale
),

-- Each offer once for each requirement that it meets for certain; where it stands or whose it is may be unknown, and then it meets none.
meets AS (
    SELECT 'anywhere' AS requirement, * FROM offer
    UNION ALL
    SELECT 'in_the_eu' AS requirement, * FROM offer WHERE is_in_the_eu
    UNION ALL
    SELECT 'in_france' AS requirement, * FROM offer WHERE country = 'FR'
    UNION ALL
    SELECT 'seller_of_the_eu' AS requirement, * FROM offer WHERE is_of_the_eu
    UNION ALL
    SELECT 'in_the_eu_and_seller_of_the_eu' AS requirement, * FROM offer WHERE is_in_the_eu AND is_of_the_eu
    UNION ALL
    SELECT 'seller_of_the_country' AS requirement, * FROM offer WHERE headquarters_country = country
    UNION ALL
    SELECT 'certified_region' AS requirement, * FROM offer WHERE is_certified
),

-- As the market's index: of each seller those prices speak that hold, before those last known, and its own pages before pages about it;
-- of last-known prices those that were seen when the seller was last heard of, or not long before.
of_best_kind AS (
    SELECT *
    FROM meets
    QUALIFY 2 * is_third_party::INTEGER + (NOT is_current)::INTEGER = min(2 * is_third_party::INTEGER + (NOT is_current)::INTEGER) OVER (
        PARTITION BY requirement, gpu, option, seller
    )
),

speaks AS (
    SELECT *
    FROM of_best_kind
    QUALIFY is_current OR price_age_days - min(price_age_days) OVER (PARTITION BY requirement, gpu, option, seller) <= 45
),

vote AS (
    SELECT
        requirement,
        gpu,
        option,
        seller,
        first(provider ORDER BY usd_per_gpu_hour, provider, price_age_days) AS provider,
        min(usd_per_gpu_hour) AS usd,
        min(eur_per_gpu_hour) AS eur,
        first(price_age_days ORDER BY usd_per_gpu_hour, provider, price_age_days) AS age,
        bool_and(is_verified) AS is_verified
    FROM speaks
    GROUP BY requirement, gpu, option, seller
),

requirement AS (
    SELECT
        unnest([
            'anywhere', 'in_the_eu', 'in_france', 'seller_of_the_eu', 'in_the_eu_and_seller_of_the_eu', 'seller_of_the_country',
            'certified_region'
        ]) AS requirement
),

market AS (
    SELECT
        requirement,
        gpu,
        option,
        count(*) AS seller_count,
        string_agg(seller, ', ' ORDER BY usd, seller) AS sellers,
        min(usd) AS least_usd_per_gpu_hour,
        min(eur) AS least_eur_per_gpu_hour,
        quantile_disc(usd, 0.5) AS median_usd_per_gpu_hour,
        first(provider ORDER BY usd, seller) AS provider,
        first(age ORDER BY usd, seller) AS price_age_days,
        bool_and(is_verified) AS is_verified
    FROM vote
    GROUP BY requirement, gpu, option
)

SELECT
    a.gpu,
    a.option,
    r.requirement,
    coalesce(m.seller_count, 0) AS seller_count,
    m.sellers,
    m.provider,
    m.least_usd_per_gpu_hour,
    m.least_eur_per_gpu_hour,
    m.median_usd_per_gpu_hour,
    m.least_usd_per_gpu_hour / a.least_usd_per_gpu_hour - 1 AS surcharge_ratio,
    m.median_usd_per_gpu_hour / a.median_usd_per_gpu_hour - 1 AS median_surcharge_ratio,
    m.price_age_days,
    m.is_verified
FROM market AS a
CROSS JOIN requirement AS r
LEFT JOIN market AS m ON m.gpu = a.gpu AND m.option = a.option AND m.requirement = r.requirement
WHERE a.requirement = 'anywhere'
ORDER BY a.gpu, a.option, r.requirement
