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
    c.usd_per_gpu_hour / o.usd_per_gpu_hour AS pays_from_utilisation_share
FROM bi.price_today AS c
INNER JOIN bi.price_today AS o USING (provider, region, instance_type)
WHERE c.purchase_option = 'commitment' AND o.purchase_option = 'on_demand'
ORDER BY discount_share DESC, c.provider, c.region, c.instance_type, c.commitment_months;
