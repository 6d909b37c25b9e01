-- What does a commitment save against on demand on the same machine in the same region, and from which use does it pay?
SELECT
    c.provider,
    c.region,
    c.gpu,
    c.instance_type,
    c.commitment_months,
    o.usd_per_gpu_hour AS on_demand_usd_per_gpu_hour,
    c.usd_per_gpu_hour AS commitment_usd_per_gpu_hour,
    1 - c.usd_per_gpu_hour / o.usd_per_gpu_hour AS discount_share,
    c.usd_per_gpu_hour / o.usd_per_gpu_hour AS pays_from_utilisation_share,
    greatest(c.price_age_days, o.price_age_days) AS older_price_age_days
FROM bi.price_today AS c
INNER JOIN bi.price_today AS o USING (provider, region, instance_type)
WHERE c.purchase_option = 'commitment' AND o.purchase_option = 'on_demand' AND c.is_on_sale AND o.is_on_sale
ORDER BY discount_share DESC, c.provider, c.region, c.instance_type, c.commitment_months;
