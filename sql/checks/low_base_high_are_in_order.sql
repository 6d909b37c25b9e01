-- A band whose ends are crossed says the opposite of what it means.
SELECT
    on_date,
    option,
    model,
    low_usd_per_million_output_tokens,
    base_usd_per_million_output_tokens,
    high_usd_per_million_output_tokens
FROM marts.cost_per_token
WHERE
    low_usd_per_million_output_tokens > base_usd_per_million_output_tokens * (1 + 1e-9)
    OR base_usd_per_million_output_tokens > high_usd_per_million_output_tokens * (1 + 1e-9)
