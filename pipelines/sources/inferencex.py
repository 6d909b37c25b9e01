"""InferenceX: nightly measurements of serving systems, rate and latency of each load, by model, device and precision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import list_of, parser, read_json, text_rows
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.source import FetchContext, Payload, Source

_SIDES = ("prefill", "decode")
# Names under which the service answers; one that it has dropped is a problem of its own.
_MODELS = ("DeepSeek-R1-0528", "gpt-oss-120b", "Llama-3.3-70B-Instruct")

SOURCE = Source(
    title="InferenceX benchmarks",
    homepage="https://inferencex.semianalysis.com/",
    licence="public figures; quoted with source",
    attribution="measured by InferenceX (SemiAnalysis)",
    semantics="table",
    base_url="https://inferencex.semianalysis.com",
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="measured rates and latencies of serving systems by model, device, precision and load",
)
_WHAT = "measurements"
_FIELDS = {
    "model_as_named": "model",
    "gpu_as_named": "hardware",
    "engine": "framework",
    "precision_as_named": "precision",
    "speculation_as_named": "spec_method",
    "is_disaggregated": "disagg",
    "prefill_gpu_count": "num_prefill_gpu",
    "decode_gpu_count": "num_decode_gpu",
    "input_tokens": "isl",
    "output_tokens": "osl",
    "concurrency": "conc",
    "output_tokens_per_second_per_gpu": "metrics.output_tput_per_gpu",
    "ttft_s": "metrics.median_ttft",
    "time_per_output_token_s": "metrics.median_tpot",
    "measured_on": "date",
    "run_url": "run_url",
}
# Each a factor of the GPUs of one side; what a row does not name is 1. Experts are spread over the same GPUs.
_PARALLELISMS = ("tp", "pp", "dp", "cp", "num_workers")
_INTEGERS = ("input_tokens", "output_tokens", "concurrency")
_DOUBLES = ("prefill_gpu_count", "decode_gpu_count", "output_tokens_per_second_per_gpu", "ttft_s", "time_per_output_token_s")
_PRECISIONS = {"fp8": "fp8", "bf16": "bf16", "fp4": "fp4", "mxfp4": "fp4", "nvfp4": "fp4", "int4": "int4"}
# The service names chips; all of its systems hold the module form.
_DEVICES = {"h100": "H100 SXM5 80GB", "h200": "H200 SXM 141GB", "b200": "B200 SXM 180GB", "b300": "B300 SXM 288GB"}
_KEY = [
    "model_as_named",
    "gpu_as_named",
    "engine",
    "precision_as_named",
    "prefill_gpu_count",
    "decode_gpu_count",
    *_INTEGERS,
    "measured_on",
]


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The newest measurements of each model."""
    url = context.base_url + "/api/v1/benchmarks"
    return each_answer(context, {model: Request(url, [("model", model)]) for model in _MODELS})


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per system and load, of several runs in a night the middle one, of two the slower. Raises ParseError."""
    rows = list_of(read_json(content, _WHAT), "", _WHAT)
    required = ("model_as_named", "gpu_as_named", "output_tokens_per_second_per_gpu", "decode_gpu_count")
    factors = {f"{side}_{name}": f"{side}_{name}" for side in _SIDES for name in _PARALLELISMS}
    table = text_rows(rows, _FIELDS | factors, _WHAT, required=required)
    table = table.filter(pl.all_horizontal(pl.col(*required, "measured_on").is_not_null()))
    typed = table.with_columns(
        pl.col(_INTEGERS).cast(pl.Int64, strict=False),
        pl.col(_DOUBLES).cast(pl.Float64, strict=False),
        pl.col("measured_on").str.head(10).str.to_date("%Y-%m-%d", strict=False),
        is_disaggregated=pl.col("is_disaggregated") == "true",
        **{f"{side}_parallelism": _parallelism(side) for side in _SIDES},
    )
    typed = typed.drop(factors)
    if typed.get_column("measured_on").is_null().all():
        raise ParseError(f"{_WHAT}: none of {len(rows)} rows has a model, a device, a rate and a day")
    rate = pl.col("output_tokens_per_second_per_gpu")
    place, runs = rate.rank("ordinal").over(_KEY), rate.count().over(_KEY)
    return typed.filter(place == (runs + 1) // 2)


def _parallelism(side: str) -> pl.Expr:
    """The GPUs of one side by its parallelisms; NULL where the first of them is not stated."""
    first, *others = (pl.col(f"{side}_{name}").cast(pl.Float64, strict=False) for name in _PARALLELISMS)
    product = first
    for other in others:
        product = product * pl.when(other > 0).then(other).otherwise(1.0)
    return pl.when(first > 0).then(product)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed throughput. Where prefill and decoding are apart their GPUs add up; else both counts are of the same GPUs."""
    none = pl.lit(None, dtype=pl.String)
    prefill = pl.when("is_disaggregated").then(pl.col("prefill_gpu_count").fill_null(0)).otherwise(0.0)
    gpus = pl.col("decode_gpu_count") + prefill
    is_miscounted = (pl.col("decode_parallelism") != pl.col("decode_gpu_count")) | (
        pl.col("is_disaggregated") & (pl.col("prefill_parallelism") != pl.col("prefill_gpu_count"))
    )
    is_guessing = pl.col("speculation_as_named").fill_null("none") != "none"
    latest = raw.sort("fetched_at").unique(_KEY, keep="last", maintain_order=True)
    return latest.select(
        pl.concat_str(pl.lit("inferencex"), *(pl.col(name).cast(pl.String).fill_null("-") for name in _KEY), separator=" ").alias(
            "measurement_id"
        ),
        "model_as_named",
        none.alias("model_correction"),
        pl.col("gpu_as_named").replace(_DEVICES),
        pl.col("precision_as_named").replace_strict(_PRECISIONS, default=None, return_dtype=pl.String).alias("precision"),
        none.alias("precision_correction"),
        "engine",
        none.alias("engine_version"),
        "is_disaggregated",
        gpus.alias("gpu_count_stated"),
        gpus.alias("gpu_count"),
        none.alias("gpu_count_correction"),
        pl.when(is_guessing)
        .then(pl.lit("speculative decoding: the rate depends on the text"))
        .when(is_miscounted)
        .then(pl.lit("the stated GPUs are not the product of the parallelisms"))
        .alias("exclusion_reason"),
        pl.lit("medium").alias("confidence"),
        *_INTEGERS,
        "ttft_s",
        "time_per_output_token_s",
        none.alias("scenario"),
        (pl.col("output_tokens_per_second_per_gpu") * gpus).alias("tokens_per_second_stated"),
        "measured_on",
        pl.lit(False).alias("is_estimated"),
        pl.col("measured_on").cast(pl.Datetime("us")).alias("known_from"),
        pl.lit(SOURCE.title).alias("source_detail"),
        pl.coalesce("run_url", pl.lit(SOURCE.homepage)).alias("source_url"),
        pl.lit(SOURCE.licence).alias("licence"),
        "snapshot_sha256",
    )
