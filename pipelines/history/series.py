"""What makes a series: the id of its parts, and whose word on its attributes counts.

Belongs here: the one SELECT that says so, for a table `price_observation` of rows in the form of `staging.price_observation`. Does not
belong here: running it (`store`).
"""

# The id is the start of the SHA-256 of the parts that make a series; a unit separator stands between them, so that no two
# different lists of parts read the same.
SERIES_SQL = """
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY
                provider, seller, region, zone, sku, purchase_option, payment_option, commitment_months,
                operating_system, tenancy, trust_tier, currency
            ORDER BY precedence, last_confirmed_at DESC, first_seen_at DESC, source, snapshot_sha256, usd_per_hour
        ) AS choice
    FROM price_observation
)

SELECT
    substr(sha256(concat_ws(
        chr(31),
        provider, seller, region, coalesce(zone, ''), sku, purchase_option, coalesce(payment_option, ''),
        coalesce(commitment_months::VARCHAR, ''), operating_system, tenancy, trust_tier, currency
    )), 1, 16) AS series_id,
    provider,
    seller,
    region,
    zone,
    country,
    sku,
    instance_type,
    gpu,
    form_factor,
    gpu_count,
    purchase_option,
    payment_option,
    commitment_months,
    operating_system,
    tenancy,
    trust_tier,
    currency
FROM ranked
WHERE choice = 1
"""
