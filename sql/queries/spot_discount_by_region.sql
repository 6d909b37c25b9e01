-- How much less is spot than on demand, machine by machine and region by region, by the last known prices of both?
SELECT
    s.provider,
    s.region,
    s.gpu,
    s.instance_type,
    o.usd_per_gpu_hour AS on_demand_usd_per_gpu_hour,
    s.usd_per_gpu_hour AS spot_usd_per_gpu_hour,
    1 - s.usd_per_gpu_hour / o.usd_per_gpu_hour AS spot_discount_share,
    greatest(s.price_age_days, o.price_age_days) AS older_price_age_days
FROM bi.price_today AS s
INNER JOIN bi.price_today AS o USING (provider, region, instance_type)
WHERE s.purchase_option = 'spot' AND o.purchase_option = 'on_demand' AND s.is_on_sale AND o.is_on_sale
ORDER BY spot_discount_share DESC, s.provider, s.region, s.instance_type;
