-- The market of each accelerator on the day of the version: sellers, and quartiles of what each asks at least, in dollars and euros.
SELECT
    m.gpu,
    m.form_factor,
    m.purchase_option,
    m.commitment_class,
    m.country_group,
    m.trust_group,
    m.seller_count,
    m.offer_count,
    m.last_known_share,
    m.cheapest_usd_per_gpu_hour,
    m.p25_usd_per_gpu_hour,
    m.median_usd_per_gpu_hour,
    m.p75_usd_per_gpu_hour,
    m.dearest_usd_per_gpu_hour,
    m.cheapest_usd_per_gpu_hour * x.eur_per_usd AS cheapest_eur_per_gpu_hour,
    m.p25_usd_per_gpu_hour * x.eur_per_usd AS p25_eur_per_gpu_hour,
    m.median_usd_per_gpu_hour * x.eur_per_usd AS median_eur_per_gpu_hour,
    m.p75_usd_per_gpu_hour * x.eur_per_usd AS p75_eur_per_gpu_hour,
    m.dearest_usd_per_gpu_hour * x.eur_per_usd AS dearest_eur_per_gpu_hour,
    m.oldest_price_on,
    m.newest_price_on,
    date_diff('day', m.oldest_price_on, v.today) AS price_age_days,
    m.on_date AS unchanged_since_on
FROM marts.market_price AS m
CROSS JOIN (SELECT max(held_until_on) AS today FROM marts.market_price) AS v
LEFT JOIN (SELECT 1 / max_by(units_per_eur, on_date) AS eur_per_usd FROM marts.fx_rate WHERE currency = 'USD') AS x ON TRUE
WHERE m.held_until_on = v.today
ORDER BY m.gpu, m.purchase_option, m.commitment_class, m.trust_group, m.country_group
