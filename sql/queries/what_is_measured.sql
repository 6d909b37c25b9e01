-- Which models are measured on which accelerators, from which sources, and how fresh is that?
SELECT
    gpu,
    model,
    precision,
    count(*) AS measurements,
    max(output_tokens_per_second_per_gpu) AS greatest_output_tokens_per_second_per_gpu,
    max(measured_on) AS newest_measured_on
FROM marts.throughput
GROUP BY ALL
ORDER BY gpu, model, precision;
