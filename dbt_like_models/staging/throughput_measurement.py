"""Measurements of serving systems, judged by the rules that hold for every source."""

from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.economics import decode_roof_tokens_per_second, output_tokens_per_second, prefill_roof_tokens_per_second
from pipelines.economics.guards import quotient
from pipelines.prices.gpu_resolver import resolve

LONGEST_TTFT_S = 24.0
# What makes two rows the same run: rates that agree to the last digit do not come from two measurements.
RUN = [
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
    "tokens_per_second_stated",
]
COLUMNS = [
    "throughput_id",
    "source",
    "measurement_id",
    "model",
    "model_as_named",
    "model_correction",
    "precision",
    "precision_correction",
    "gpu",
    "gpu_as_named",
    "gpu_count",
    "gpu_count_stated",
    "gpu_count_correction",
    "exclusion_reason",
    "confidence",
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
    "decode_roof_tokens_per_second",
    "prefill_roof_tokens_per_second",
    "measured_on",
    "is_estimated",
    "known_from",
    "source_detail",
    "source_url",
    "licence",
    "snapshot_sha256",
]
BYTES_PER_PARAMETER = {"fp32": 4.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5, "int4": 0.5}


def throughput_measurement(
    all_throughput: pl.LazyFrame,
    reference_model: pl.LazyFrame,
    reference_model_alias: pl.LazyFrame,
    reference_gpu: pl.LazyFrame,
    reference_gpu_alias_rule: pl.LazyFrame,
    reference_gpu_spec: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """One row per measurement known on `as_of`."""
    known = all_throughput.filter(pl.col("known_from") < datetime.combine(as_of + timedelta(days=1), time()))
    names = known.select("gpu_as_named", gpu_memory_gib_stated=pl.lit(None, dtype=pl.Float64))
    gpus = resolve(names, reference_gpu_alias_rule, reference_gpu).select("gpu_as_named", "gpu")
    rated = (
        known.join(gpus, on="gpu_as_named", how="left")
        .join(reference_model_alias.select("model_as_named", "model"), on="model_as_named", how="left")
        .join(reference_model.select("model", "total_parameters", "active_parameters"), on="model", how="left")
        .join(reference_gpu.select("gpu", "gpu_memory_gb"), on="gpu", how="left")
        .join(
            reference_gpu_spec.select("gpu", "memory_bandwidth_bytes_per_s", "bf16_flops_per_s", "fp8_flops_per_s", "fp4_flops_per_s"),
            on="gpu",
            how="left",
        )
        .with_columns(
            __bytes=pl.col("precision").replace_strict(BYTES_PER_PARAMETER, default=None, return_dtype=pl.Float64),
            __rate=pl.coalesce(
                "tokens_per_second_stated",
                output_tokens_per_second(
                    pl.col("concurrency"), pl.col("output_tokens"), pl.col("ttft_s"), pl.col("time_per_output_token_s")
                ),
            ),
            __flops=pl.when(pl.col("precision") == "fp8")
            .then("fp8_flops_per_s")
            .when(pl.col("precision") == "fp4")
            # Where the device has no fp4 units the arithmetic is done in the next format up.
            .then(pl.coalesce("fp4_flops_per_s", "fp8_flops_per_s"))
            .otherwise("bf16_flops_per_s"),
        )
        .with_columns(
            output_tokens_per_second="__rate",
            output_tokens_per_second_per_gpu=quotient(pl.col("__rate"), pl.col("gpu_count")),
            decode_roof_tokens_per_second=decode_roof_tokens_per_second(
                pl.col("memory_bandwidth_bytes_per_s") * pl.col("gpu_count"), pl.col("active_parameters"), pl.col("__bytes")
            ),
            prefill_roof_tokens_per_second=prefill_roof_tokens_per_second(
                pl.col("__flops") * pl.col("gpu_count"), pl.col("active_parameters")
            ),
        )
    )
    judged = rated.with_columns(
        throughput_id=pl.concat_str("source", "measurement_id", separator="/"),
        exclusion_reason=pl.coalesce("exclusion_reason", general_exclusion()),
    )
    return (
        judged.with_columns(__rank=rank_among_copies())
        .with_columns(
            exclusion_reason=pl.when(pl.col("exclusion_reason").is_null() & (pl.col("__rank") != pl.col("__rank").min().over(RUN)))
            .then(pl.lit("equal to another row but for its id"))
            .otherwise("exclusion_reason")
        )
        .select(COLUMNS)
    )


def general_exclusion() -> pl.Expr:
    """Why a measurement of any source is not used; NULL where it is."""
    weights = pl.col("total_parameters") * pl.col("__bytes")
    memory = pl.col("gpu_count") * pl.col("gpu_memory_gb") * 1e9
    per_sequence = 1 / pl.col("time_per_output_token_s")
    # One request cannot be read faster than the roof either, however few there are.
    input_rate = pl.max_horizontal(
        pl.col("__rate") * pl.col("input_tokens") / pl.col("output_tokens"), pl.col("input_tokens") / pl.col("ttft_s")
    )
    return (
        pl.when(pl.col("model").is_null())
        .then(pl.lit("the model is not in the table of models"))
        .when(pl.col("gpu").is_null())
        .then(pl.lit("the device is not known"))
        .when(pl.col("gpu_count").is_null())
        .then(pl.lit("the number of GPUs is not stated"))
        .when(pl.col("precision").is_null())
        .then(pl.lit("precision is not stated"))
        .when(pl.col("concurrency").is_null() & pl.col("tokens_per_second_stated").is_null())
        .then(pl.lit("the number of requests in flight is not stated"))
        .when(pl.col("ttft_s") > LONGEST_TTFT_S)
        .then(pl.lit("time to the first token above 24 s: a queue was measured, not a service"))
        .when(weights > memory)
        .then(pl.lit("the weights do not fit into the stated GPUs"))
        .when(per_sequence > pl.col("decode_roof_tokens_per_second"))
        .then(pl.lit("decodes faster than memory bandwidth allows"))
        .when(input_rate > pl.col("prefill_roof_tokens_per_second"))
        .then(pl.lit("takes in input faster than arithmetic allows"))
    )


def rank_among_copies() -> pl.Expr:
    """Sorts the rows of one run: the least is kept. Usable rows come first, then those of more confidence, then the least id."""
    return pl.concat_str(
        pl.when(pl.col("exclusion_reason").is_null()).then(pl.lit("0")).otherwise(pl.lit("1")),
        pl.when(pl.col("confidence") == "low").then(pl.lit("1")).otherwise(pl.lit("0")),
        "throughput_id",
    )
