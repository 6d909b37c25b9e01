-- What is the cheapest H100 in the European Union today, with the age of each price?
SELECT
    provider,
    country,
    region,
    purchase_option,
    commitment_months,
    usd_per_gpu_hour,
    eur_per_gpu_hour,
    price_as_of_on,
    price_age_days
FROM bi.price_today
WHERE
    gpu LIKE 'h100-%'
    AND is_on_sale
    AND is_in_the_eu
ORDER BY usd_per_gpu_hour, provider, region
LIMIT 20;
