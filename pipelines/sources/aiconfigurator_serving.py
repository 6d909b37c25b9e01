"""Measured serving runs that ship with aiconfigurator-core, and what is known to be wrong with them.

Belongs here: reading the file, and putting right or marking the faults that are this source's own. Does not belong here: rules
that hold for every measurement (`staging.throughput_measurement`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/serving_measurements.parquet"

SOURCE = Source(
    title="Measured LLM serving runs of aiconfigurator-core 0.12.0",
    homepage="https://pypi.org/project/aiconfigurator-core/",
    licence="Apache-2.0",
    semantics="table",
    published_on=date(2026, 4, 27),
)

# The file's own names, and ours.
_PARALLEL = {
    "tp_size": "tensor_parallel_size",
    "pp_size": "pipeline_parallel_size",
    "attention_dp_size": "attention_data_parallel_size",
    "moe_tp_size": "moe_tensor_parallel_size",
    "moe_ep_size": "moe_expert_parallel_size",
}
_COLUMNS = {
    "id": "measurement_id",
    "silicon_data_source": "measurement_source",
    "backend": "engine",
    "backend_version": "engine_version",
    "model_path": "model_as_named",
    "system": "system_as_named",
    "precision": "precision_as_named",
    "mode": "serving_mode",
    "isl": "input_tokens",
    "osl": "output_tokens",
    "gemm_quant_mode": "gemm_quant_mode",
    "moe_quant_mode": "moe_quant_mode",
    "batch_size": "batch_size",
    **_PARALLEL,
    **{
        f"{phase}_{own}": f"{phase}_{ours}"
        for phase in ("prefill", "decode")
        for own, ours in {"batch_size": "batch_size", "num_workers": "worker_count", **_PARALLEL}.items()
    },
    "silicon_ttft_ms": "ttft_ms",
    "silicon_tpot_ms": "time_per_output_token_ms",
}
_TEXT = ("id", "silicon_data_source", "backend", "backend_version", "model_path", "system", "precision", "mode")
_TEXT_OR_FLOAT: dict[str, type[pl.DataType]] = {
    **dict.fromkeys((*_TEXT, "gemm_quant_mode", "moe_quant_mode"), pl.String),
    **dict.fromkeys(("silicon_ttft_ms", "silicon_tpot_ms"), pl.Float64),
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per measurement, in the file's order of columns under our names. Raises ParseError for any other shape."""
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise ParseError(f"{_FILE}: not readable as Parquet: {error}") from error
    expected = {name: _TEXT_OR_FLOAT.get(name, pl.Int64) for name in _COLUMNS}
    if dict(frame.schema) != expected:
        raise ParseError(f"{_FILE}: columns are {dict(frame.schema)}, expected {expected}")
    return frame.rename(_COLUMNS)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed throughput, every one of them, with this file's own faults put right or named.

    GPUs of an aggregated run: the `_tpN_` of its id where there is one; else tensor times data parallelism, and its square root
    where the experts' two parallelisms repeat each other, since those rows hold a product of the same GPUs with themselves.
    A missing data parallelism counts as none. Requests in flight are those named in the row's source or id; `batch_size` counts
    them per data-parallel rank, so it stands in only where neither names them.
    """
    of_id = pl.col("measurement_id").str.extract(r"_tp(\d+)(?:_|$)").cast(pl.Int64)
    tensor, data = pl.col("tensor_parallel_size"), _data_parallel("attention_data_parallel_size")
    moe_tensor, expert = pl.col("moe_tensor_parallel_size"), pl.col("moe_expert_parallel_size")
    stated = tensor * pl.col("pipeline_parallel_size") * data
    is_product = ((moe_tensor == expert) & (expert > 1)) | ((tensor == data) & (data > 1) & (expert == tensor * data))
    root = stated.cast(pl.Float64).sqrt().round(0).cast(pl.Int64)
    aggregated_count = pl.coalesce(of_id, pl.when(is_product).then(root), stated)
    disaggregated_count = _phase_gpus("prefill") + _phase_gpus("decode")
    is_disaggregated = pl.col("serving_mode") == "disagg"
    source = pl.col("measurement_source")
    # The ids of these rows say dsr1: the configuration of R1 is that of V3, and the file names it so.
    is_r1 = (pl.col("model_as_named") == "deepseek-ai/DeepSeek-V3") & pl.col("measurement_id").str.starts_with("dsr1_")
    # In every row with a stated precision, empty number formats stand for bf16 and nothing else does.
    is_unquantised = pl.all_horizontal(pl.col("precision_as_named", "gemm_quant_mode", "moe_quant_mode").is_null())
    return (
        raw.with_columns(
            is_disaggregated=is_disaggregated,
            __stated=pl.when(is_disaggregated).then(disaggregated_count).otherwise(stated),
            __count=pl.when(is_disaggregated).then(disaggregated_count).otherwise(aggregated_count),
            __concurrency=pl.coalesce(
                source.str.extract(r"silicon_concurrency=(\d+)").cast(pl.Int64),
                pl.col("measurement_id").str.extract(r"_c(\d+)(?:_|$)").cast(pl.Int64),
                pl.col("batch_size"),
            ),
            # Some engines report a date with a time; a few rows name the day of their file only.
            measured_on=source.str.extract(r"measured=(\d{4}-\d{2}-\d{2})").str.to_date("%Y-%m-%d"),
        )
        .with_columns(
            __exclusion=_exclusion_reason(),
            __precision=pl.when(is_unquantised).then(pl.lit("bf16")).otherwise("precision_as_named"),
            __unquantised=is_unquantised,
        )
        .select(
            "measurement_id",
            pl.when(is_r1).then(pl.lit("deepseek-ai/DeepSeek-R1")).otherwise("model_as_named").alias("model_as_named"),
            pl.when(is_r1).then(pl.lit("named DeepSeek-V3, the id says R1")).alias("model_correction"),
            pl.col("system_as_named").alias("gpu_as_named"),
            pl.col("__precision").alias("precision"),
            pl.when("__unquantised").then(pl.lit("not stated; bf16 since no number format is named")).alias("precision_correction"),
            "engine",
            "engine_version",
            "is_disaggregated",
            pl.col("__stated").cast(pl.Float64).alias("gpu_count_stated"),
            pl.col("__count").cast(pl.Float64).alias("gpu_count"),
            pl.when(~pl.col("is_disaggregated") & (pl.col("__count") < pl.col("__stated")))
            .then(pl.lit("the stated parallelism is a product of the same GPUs with themselves"))
            .when(~pl.col("is_disaggregated") & (pl.col("__count") > pl.col("__stated")))
            .then(pl.lit("the id names more GPUs than the stated parallelism"))
            .alias("gpu_count_correction"),
            pl.col("__exclusion").alias("exclusion_reason"),
            _confidence().alias("confidence"),
            "input_tokens",
            "output_tokens",
            pl.col("__concurrency").alias("concurrency"),
            (pl.col("ttft_ms") / 1000).alias("ttft_s"),
            (pl.col("time_per_output_token_ms") / 1000).alias("time_per_output_token_s"),
            pl.lit(None, dtype=pl.String).alias("scenario"),
            pl.lit(None, dtype=pl.Float64).alias("tokens_per_second_stated"),
            "measured_on",
            pl.lit(False).alias("is_estimated"),
            pl.coalesce(pl.col("measured_on").cast(pl.Datetime("us")), pl.col("fetched_at")).alias("known_from"),
            pl.lit("PyPI aiconfigurator-core 0.12.0, measured serving runs").alias("source_detail"),
            pl.lit(SOURCE.homepage).alias("source_url"),
            pl.lit(SOURCE.licence).alias("licence"),
            "snapshot_sha256",
        )
    )


def _phase_gpus(phase: str) -> pl.Expr:
    sizes = (pl.col(f"{phase}_tensor_parallel_size"), pl.col(f"{phase}_pipeline_parallel_size"))
    data = _data_parallel(f"{phase}_attention_data_parallel_size")
    return pl.col(f"{phase}_worker_count") * sizes[0] * sizes[1] * data


def _data_parallel(column: str) -> pl.Expr:
    return pl.col(column).fill_null(1).clip(lower_bound=1)


def _exclusion_reason() -> pl.Expr:
    is_sxm = pl.col("system_as_named").str.ends_with("_sxm")
    spoilt_run = (
        (pl.col("model_as_named") == "openai/gpt-oss-120b")
        & (pl.col("system_as_named") == "h100_sxm")
        & (pl.col("__concurrency") == 512)
        & (pl.col("measured_on").is_between(date(2025, 12, 1), date(2025, 12, 31)))
    )
    return (
        pl.when(pl.col("is_disaggregated") & pl.col("__count").is_null())
        .then(pl.lit("disaggregated without worker counts: the number of GPUs is unknown"))
        .when(~pl.col("is_disaggregated") & is_sxm & (pl.col("__count") > 8))
        .then(pl.lit("more than the 8 GPUs of an aggregated SXM machine"))
        .when(spoilt_run)
        .then(pl.lit("gpt-oss-120b on H100 at concurrency 512 in December 2025: rates that no other run comes near"))
    )


def _confidence() -> pl.Expr:
    unfinished = pl.col("measurement_source").str.contains("wip=True")
    odd_rack = (pl.col("system_as_named") == "gb200") & ~pl.col("is_disaggregated") & pl.col("tensor_parallel_size").is_between(12, 72)
    # Experts over more GPUs than were counted, where nothing is said of data parallelism: the count may be too low.
    wider_experts = pl.col("attention_data_parallel_size").is_null() & (
        pl.col("moe_tensor_parallel_size") * pl.col("moe_expert_parallel_size") > pl.col("__count")
    )
    return pl.when(unfinished | odd_rack | wider_experts | pl.col("__unquantised")).then(pl.lit("low")).otherwise(pl.lit("high"))
