SELECT 'excluded' AS handling, exclusion_reason AS reason, count(*) AS row_count
FROM staging.throughput_measurement
WHERE exclusion_reason IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT 'used' AS handling, 'confidence ' || confidence AS reason, count(*) AS row_count
FROM staging.throughput_measurement
WHERE exclusion_reason IS NULL
GROUP BY ALL
UNION ALL
SELECT 'corrected' AS handling, correction AS reason, count(*) AS row_count
FROM (
    SELECT model_correction AS correction FROM staging.throughput_measurement
    UNION ALL
    SELECT precision_correction AS correction FROM staging.throughput_measurement
    UNION ALL
    SELECT gpu_count_correction AS correction FROM staging.throughput_measurement
)
WHERE correction IS NOT NULL
GROUP BY ALL
