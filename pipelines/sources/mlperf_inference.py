"""MLPerf Inference results of language models, from the summary that MLCommons keeps for each round.

Measured systems under the benchmark's own requests: their lengths are those of its data sets, so they stand beside the runs at fixed
lengths and never answer for them. Rounds up to v5.1 are a list, v6.1 is an object of results under other keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.decode import as_text, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.source import FetchContext, Payload, Source

# Rounds and the days on which their results were made public.
_ROUNDS = {"v4.1": date(2024, 8, 28), "v5.1": date(2025, 9, 9), "v6.1": date(2026, 9, 16)}
_FILES = {"v6.1": "summary.json"}
_FILE_BEFORE = "summary_results.json"

SOURCE = Source(
    title="MLPerf Inference, datacenter results",
    homepage="https://mlcommons.org/benchmarks/inference-datacenter/",
    licence="results under MLCommons' terms of use; figures",
    attribution="MLPerf is a trademark of MLCommons; each row names round, submitter and platform",
    terms="https://mlcommons.org/our-policies/",
    semantics="table",
    certainty="recorded",
    checked_on=date(2026, 9, 16),
    gives="throughput of language models by round, submitter and system",
    base_url="https://raw.githubusercontent.com",
)
_WHAT = "summary of a round"
# Each column with its key in rounds up to v5.1, and the key since.
_TEXT = {
    "submission_id": ("Unique ID (e.g. for Audit)", None),
    "submitter": ("Submitter", "Organization"),
    "availability": ("Availability", "Availability"),
    "division": ("Category", "Division"),
    "suite": ("Suite", "SystemType"),
    "platform": ("Platform", "Platform"),
    "model_as_named": ("Model", "Model"),
    "scenario": ("Scenario", "Scenario"),
    "accelerator_as_named": ("Accelerator", "accelerator_model_name"),
    "engine": ("Software", "framework"),
    "precision_as_named": ("weight_data_types", "weight_data_types"),
    "benchmark_round": ("version", "version"),
    "result_unit": ("Performance_Units", "Units"),
}
_NUMBERS = {
    "node_count": ("Nodes", "number_of_nodes"),
    "accelerators_per_node": ("a#", "accelerators_per_node"),
    "error_count": ("errors", "errors"),
    "inferred_count": ("inferred", "inferred"),
    "tokens_per_second_stated": ("Performance_Result", "Result"),
}
# What makes an identity where a round states none: how rounds before wrote theirs.
_IDENTITY = ("suite", "division", "submitter", "platform")
_PRECISIONS = {
    "fp4": "fp4",
    "mxfp4": "fp4",
    "nvfp4": "fp4",
    "e2m1": "fp4",
    "fp8": "fp8",
    "mxfp8": "fp8",
    "e4m3": "fp8",
    "e5m2": "fp8",
    "int4": "int4",
    "uint4": "int4",
    "mxint4": "int4",
    "int8": "int8",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp16": "bf16",
    "float16": "bf16",
    "fp32": "fp32",
    "float32": "fp32",
}
_ALLOWED_AVAILABILITY = ("available", "preview")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One summary per round, about 1 to 2 MB each. A round that does not answer is a problem of its own, unless none does."""
    failed: SourceError | None = None
    has_answered = False
    for round_name in _ROUNDS:
        path = f"/mlcommons/inference_results_{round_name}/main/{_FILES.get(round_name, _FILE_BEFORE)}"
        try:
            answer = context.http.get(f"{context.base_url}{path}")
        except OfflineError:
            raise
        except SourceError as error:
            failed = error
            context.problem(f"{round_name}: {error}")
            continue
        has_answered = True
        yield Payload(f"{round_name}.json", answer.url, answer.content, utc_now(), answer.status, answer.etag)
    if failed and not has_answered:
        raise failed


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per result in tokens per second; results of other models are in samples or queries and are left out.

    What a result lacks is NULL, for the rules to put it aside by itself. Raises ParseError where no result is one of a round that is known.
    """
    rows = [row for row in map(_row, _results(read_json(content, _WHAT))) if row["result_unit"] == "Tokens/s"]
    if not any(row["benchmark_round"] in _ROUNDS and row["tokens_per_second_stated"] for row in rows):
        found = fit_to_show(", ".join(sorted({str(row["benchmark_round"]) for row in rows})))
        raise ParseError(f"{_WHAT}: none of {len(rows)} results in Tokens/s is of a round of {', '.join(_ROUNDS)}; found {found or 'none'}")
    whole = [
        pl.when(pl.col(name) == pl.col(name).floor()).then(name).cast(pl.Int64, strict=False)
        for name in _NUMBERS
        if _SCHEMA[name] == pl.Int64
    ]
    return pl.DataFrame(rows, schema={**_SCHEMA, **dict.fromkeys(_NUMBERS, pl.Float64)}).with_columns(whole)


def _results(document: Any) -> list[dict[str, Any]]:
    """The results of a list, or of an object that numbers them."""
    found = list(document.values()) if isinstance(document, dict) else list_of(document, "", _WHAT)
    return [result for result in found if isinstance(result, dict)]


def _row(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result under our names, whichever keys it has; the unit says which."""
    new = "Units" in result
    row: dict[str, Any] = {name: _text(result, keys[new]) for name, keys in _TEXT.items()}
    row |= {name: _number(result, keys[new]) for name, keys in _NUMBERS.items()}
    identity = [row[name] for name in _IDENTITY]
    if new and all(identity):
        row["submission_id"] = "/".join(identity)
    return row


_SCHEMA = {
    **dict.fromkeys(_TEXT, pl.String),
    "node_count": pl.Int64,
    "accelerators_per_node": pl.Int64,
    "error_count": pl.Int64,
    "inferred_count": pl.Int64,
    "tokens_per_second_stated": pl.Float64,
}


def _text(result: Mapping[str, Any], key: str | None) -> str | None:
    value = result.get(key) if key else None
    return as_text(value) if isinstance(value, str) else None


def _number(result: Mapping[str, Any], key: str) -> float | None:
    found = number_of(as_text(result.get(key)))
    return None if found is None or not math.isfinite(float(found)) else float(found)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed throughput; what may not be used says why."""
    measured_on = pl.col("benchmark_round").replace_strict(_ROUNDS, return_dtype=pl.Date)
    count = (pl.col("node_count") * pl.col("accelerators_per_node")).cast(pl.Float64)
    none = pl.lit(None, dtype=pl.String)
    return (
        raw.sort("fetched_at")
        .with_columns(
            measurement_id=pl.concat_str("benchmark_round", "submission_id", "model_as_named", "scenario", separator="/"),
            precision=_precision(),
        )
        # The summary is fetched whole each time: a result is one row.
        .unique("measurement_id", keep="last", maintain_order=True)
        .select(
            "measurement_id",
            "model_as_named",
            none.alias("model_correction"),
            pl.col("accelerator_as_named").alias("gpu_as_named"),
            "precision",
            none.alias("precision_correction"),
            "engine",
            none.alias("engine_version"),
            pl.lit(False).alias("is_disaggregated"),
            count.alias("gpu_count_stated"),
            count.alias("gpu_count"),
            none.alias("gpu_count_correction"),
            _exclusion_reason().alias("exclusion_reason"),
            pl.when(pl.col("availability") == "available").then(pl.lit("high")).otherwise(pl.lit("medium")).alias("confidence"),
            pl.lit(None, dtype=pl.Int64).alias("input_tokens"),
            pl.lit(None, dtype=pl.Int64).alias("output_tokens"),
            pl.lit(None, dtype=pl.Int64).alias("concurrency"),
            pl.lit(None, dtype=pl.Float64).alias("ttft_s"),
            pl.lit(None, dtype=pl.Float64).alias("time_per_output_token_s"),
            pl.concat_str(pl.lit("MLPerf "), "scenario").alias("scenario"),
            "tokens_per_second_stated",
            measured_on.alias("measured_on"),
            pl.lit(False).alias("is_estimated"),
            measured_on.cast(pl.Datetime("us")).alias("known_from"),
            pl.concat_str(pl.lit("MLPerf Inference "), "benchmark_round", pl.lit(", "), "submitter", pl.lit(", "), "platform").alias(
                "source_detail"
            ),
            pl.lit(SOURCE.homepage).alias("source_url"),
            pl.lit(SOURCE.licence).alias("licence"),
            "snapshot_sha256",
        )
    )


def _precision() -> pl.Expr:
    """The one precision that the words for the weights say ("FP8 (e4m3)", "float8_e4m3fn", "MX-FP4"); NULL where they say two."""
    plain = pl.col("precision_as_named").str.to_lowercase().str.replace_all(r"float(\d)", "fp$1").str.replace_all(r"b[ -]?fp16", "bf16")
    words = (
        plain.str.replace_all(r"(mx|nv)[ _-]", "$1")
        .str.extract_all(r"[a-z]+\d+(?:m\d)?")
        .list.eval(pl.element().replace_strict(_PRECISIONS, default=None, return_dtype=pl.String).drop_nulls().unique())
    )
    return pl.when(words.list.len() == 1).then(words.list.first())


def _exclusion_reason() -> pl.Expr:
    several = pl.col("accelerator_as_named").str.contains(r"\(x\d+\)") | pl.col("accelerator_as_named").str.contains(",")
    return (
        pl.when((pl.col("division") != "closed") | (pl.col("suite") != "datacenter"))
        .then(pl.lit("not of the closed division in the datacenter, whose rules make results comparable"))
        .when(~pl.col("availability").is_in(list(_ALLOWED_AVAILABILITY)))
        .then(pl.lit("a system that cannot be bought"))
        .when((pl.col("error_count") > 0) | (pl.col("inferred_count") > 0))
        .then(pl.lit("marked by the benchmark as faulty or inferred"))
        .when(several)
        .then(pl.lit("several kinds of accelerator in one system"))
    )
