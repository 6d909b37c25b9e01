-- severity: warning
-- Whoever binds himself for longer pays less per hour; where he does not, two terms were mixed up, or the seller sells so.
SELECT
    a.provider,
    a.region,
    a.instance_type,
    a.commitment_months,
    b.commitment_months AS longer_commitment_months,
    a.usd_per_hour,
    b.usd_per_hour AS longer_usd_per_hour
FROM marts.price_history AS a
INNER JOIN marts.price_history AS b
    ON
        a.provider = b.provider
        AND a.region = b.region
        AND a.instance_type = b.instance_type
        AND a.operating_system = b.operating_system
        AND a.tenancy = b.tenancy
        AND a.payment_option IS NOT DISTINCT FROM b.payment_option
        AND a.commitment_months < b.commitment_months
WHERE a.valid_to IS NULL AND b.valid_to IS NULL AND b.usd_per_hour > a.usd_per_hour
