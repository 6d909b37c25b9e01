SELECT
    'aws' AS provider,
    a.region,
    a.instance_type,
    a.interruption_band,
    a.least_interrupted_share_per_month,
    a.greatest_interrupted_share_per_month,
    -- Interruptions at a constant rate leave exp(-rate) of the machines after a month.
    -ln(1 - a.least_interrupted_share_per_month) AS low_interruptions_per_month,
    -ln(1 - (a.least_interrupted_share_per_month + a.greatest_interrupted_share_per_month) / 2) AS base_interruptions_per_month,
    CASE
        WHEN a.greatest_interrupted_share_per_month < 1 THEN -ln(1 - a.greatest_interrupted_share_per_month)
    END AS high_interruptions_per_month,
    a.fetched_at::DATE AS read_on,
    'aws_spot_advisor' AS source
FROM raw.aws_spot_advisor AS a
WHERE date_diff('day', a.fetched_at::DATE, CAST(getvariable('as_of') AS DATE)) <= 365
