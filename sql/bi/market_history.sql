-- The market of each accelerator as it changed: one row from each day on which a figure changed to the last day on which it held.
SELECT
    m.on_date,
    m.held_until_on,
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
    m.oldest_price_on,
    m.newest_price_on,
    date_diff('day', m.oldest_price_on, m.held_until_on) AS price_age_days
FROM marts.market_price AS m
ORDER BY m.gpu, m.purchase_option, m.commitment_class, m.trust_group, m.country_group, m.on_date
