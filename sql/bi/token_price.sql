-- API prices that hold on the day of the version, with their age since the last confirmation.
SELECT
    t.provider,
    t.model,
    t.model_as_named,
    t.usd_per_million_input_tokens,
    t.usd_per_million_output_tokens,
    t.usd_per_million_cached_input_tokens,
    t.usd_per_million_batch_input_tokens,
    t.usd_per_million_batch_output_tokens,
    t.valid_from_on,
    t.last_confirmed_at,
    date_diff('day', t.last_confirmed_at::DATE, v.as_of_on) AS price_age_days,
    t.is_deprecated,
    t.price_remark,
    t.source_detail,
    t.licence
FROM marts.token_price AS t
CROSS JOIN (SELECT max_by(as_of_on, started_at) AS as_of_on FROM ops.refreshes WHERE outcome = 'published') AS v
WHERE t.valid_to_on IS NULL OR t.valid_to_on > v.as_of_on
