SELECT
    g.gpu, g.vendor, g.family, g.form_factor, g.gpu_memory_gb, g.tdp_watts, s.memory_bandwidth_bytes_per_s, s.bf16_flops_per_s,
    s.fp8_flops_per_s, s.fp4_flops_per_s, s.source_detail, s.source_url, s.source_on
FROM raw.reference_gpu AS g
LEFT JOIN raw.reference_gpu_spec AS s ON g.gpu = s.gpu
