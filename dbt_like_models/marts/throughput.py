"""The measurements that may be used."""

import polars as pl


def throughput(throughput_measurement: pl.LazyFrame) -> pl.LazyFrame:
    """One row per usable measurement."""
    return throughput_measurement.filter(pl.col("exclusion_reason").is_null()).select(
        "throughput_id",
        "model",
        "precision",
        "gpu",
        "gpu_count",
        "engine",
        "engine_version",
        "is_disaggregated",
        "input_tokens",
        "output_tokens",
        "concurrency",
        "ttft_s",
        "time_per_output_token_s",
        "scenario",
        "output_tokens_per_second",
        "output_tokens_per_second_per_gpu",
        "confidence",
        "is_estimated",
        "model_correction",
        "precision_correction",
        "gpu_count_correction",
        "measured_on",
        "known_from",
        "source",
        "source_detail",
        "source_url",
        "licence",
    )
