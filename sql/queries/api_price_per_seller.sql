-- Who sells tokens of which open-weight model, at what price, and how long ago was it confirmed?
SELECT
    model,
    provider,
    usd_per_million_input_tokens,
    usd_per_million_output_tokens,
    usd_per_million_cached_input_tokens,
    last_confirmed_at::DATE AS confirmed_on,
    price_age_days
FROM bi.token_price
WHERE model IS NOT NULL AND NOT is_deprecated
ORDER BY model, usd_per_million_output_tokens, provider;
