"""Measurements of serving systems that others published, 2024-08 to 2026-09, for devices that the large sweep lacks.

Belongs here: the file as it ships, and what its notes say against using a row; of MLPerf single results, so that devices without another
measurement have one without a network. Does not belong here: the sweep itself (`aiconfigurator_serving`), MLPerf's own summaries
(`mlperf_inference`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/throughput_readings.csv"

SOURCE = Source(
    title="Published serving measurements, 2024-08 to 2026-09",
    homepage="",
    licence="figures; quoted with source",
    semantics="table",
    published_on=date(2026, 9, 24),
)
_SCHEMA = {
    "model_as_named": pl.String,
    "precision_as_named": pl.String,
    "gpu_as_named": pl.String,
    "gpu_count": pl.Float64,
    "engine": pl.String,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "concurrency": pl.Int64,
    "ttft_s": pl.Float64,
    "time_per_output_token_s": pl.Float64,
    "tokens_per_second_stated": pl.Float64,
    "measured_on": pl.Date,
    "is_day_inferred": pl.Boolean,
    "measurement_kind": pl.String,
    "source_url": pl.String,
    "source_detail": pl.String,
}
_PRECISIONS = {"fp8": "fp8", "bf16": "bf16", "fp16": "bf16", "fp4": "fp4", "mxfp4": "fp4", "int4": "int4", "awq-int4": "int4"}
# Without a limit on latency a rate is the most that the system can do: no objective is met by it.
_UPPER_BOUND = "no latency limit: an upper bound"
# A benchmark's own requests: their lengths are those of its data sets.
_BENCHMARKS = {"mlperf_offline": "MLPerf Offline", "mlperf_server": "MLPerf Server"}
_NOT_SERVING = {
    "decode_only": "decode only: the prompt was in the prefix cache",
    "third_party_report": "a third party's report of a benchmark result",
    "not_comparable": "the kind of tokens or the lengths are not stated",
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per published figure, numbered as in the file; `measurement_kind` says what it may be used for."""
    readings = read_csv(content, _FILE, _SCHEMA).rename({"gpu_count": "gpu_count_stated"})
    return readings.with_row_index("reading_number", offset=1).with_columns(pl.col("reading_number").cast(pl.Int64))


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed throughput; what may not be used says why, and an upper bound is a scenario of its own without times."""
    none = pl.lit(None, dtype=pl.String)
    inferred = pl.when("is_day_inferred").then(pl.lit("; day inferred")).otherwise(pl.lit(""))
    is_bound = pl.col("measurement_kind") == "upper_bound"
    return raw.select(
        pl.concat_str(pl.lit("reading "), "reading_number").alias("measurement_id"),
        "model_as_named",
        none.alias("model_correction"),
        "gpu_as_named",
        pl.col("precision_as_named").replace_strict(_PRECISIONS, default=None, return_dtype=pl.String).alias("precision"),
        none.alias("precision_correction"),
        "engine",
        none.alias("engine_version"),
        pl.lit(False).alias("is_disaggregated"),
        "gpu_count_stated",
        pl.col("gpu_count_stated").alias("gpu_count"),
        none.alias("gpu_count_correction"),
        pl.col("measurement_kind").replace_strict(_NOT_SERVING, default=None, return_dtype=pl.String).alias("exclusion_reason"),
        pl.lit("medium").alias("confidence"),
        "input_tokens",
        "output_tokens",
        "concurrency",
        "ttft_s",
        "time_per_output_token_s",
        pl.when(is_bound)
        .then(pl.lit(_UPPER_BOUND))
        .when(pl.col("measurement_kind").is_in(list(_BENCHMARKS)))
        .then(pl.col("measurement_kind").replace_strict(_BENCHMARKS, default=None, return_dtype=pl.String))
        .when(pl.col("concurrency").is_null())
        .then(pl.lit("load not stated"))
        .alias("scenario"),
        "tokens_per_second_stated",
        "measured_on",
        pl.lit(False).alias("is_estimated"),
        pl.col("measured_on").cast(pl.Datetime("us")).alias("known_from"),
        pl.concat_str("source_detail", inferred).alias("source_detail"),
        "source_url",
        pl.lit(SOURCE.licence).alias("licence"),
        "snapshot_sha256",
    )
