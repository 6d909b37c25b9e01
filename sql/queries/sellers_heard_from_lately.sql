-- Of how many sellers is a price of each accelerator known, and how many of them were heard from in the last 45 days?
SELECT
    gpu,
    count(DISTINCT seller) AS seller_count,
    count(DISTINCT seller) FILTER (price_age_days <= 45) AS seller_count_lately,
    min(price_age_days) AS newest_price_age_days,
    quantile_disc(price_age_days, 0.5) AS median_price_age_days
FROM bi.price_today
WHERE purchase_option = 'on_demand' AND gpu IS NOT NULL AND is_on_sale
GROUP BY gpu
ORDER BY seller_count DESC, gpu;
