SELECT source, 'excluded' AS handling, exclusion_reason AS reason, count(*) AS row_count
FROM staging.throughput_measurement
WHERE exclusion_reason IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT source, 'used' AS handling, 'confidence ' || confidence AS reason, count(*) AS row_count
FROM staging.throughput_measurement
WHERE exclusion_reason IS NULL
GROUP BY ALL
UNION ALL
SELECT source, 'corrected' AS handling, correction AS reason, count(*) AS row_count
FROM (
    SELECT source, model_correction AS correction FROM staging.throughput_measurement
    UNION ALL
    SELECT source, precision_correction AS correction FROM staging.throughput_measurement
    UNION ALL
    SELECT source, gpu_count_correction AS correction FROM staging.throughput_measurement
)
WHERE correction IS NOT NULL
GROUP BY ALL
