"""The shipped measurements and small hand-made ones, taken through feed, staging and mart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.parse import unite_feed
from pipelines.ingest.registry import SourceModule
from pipelines.sources import aiconfigurator_serving as serving
from tests.support.tables import curated, model, with_lineage

SOURCE = "aiconfigurator_serving"
REFERENCES = ("model", "model_alias", "gpu", "gpu_alias_rule", "gpu_spec")
AS_OF = date(2026, 11, 23)

# A plain run that every rule lets pass: Llama-3.1-70B in fp8 on one H200.
GOOD = {
    "measurement_id": "llama_h200_sxm_vllm_fp8_agg_1024x1024_c16_tp1_ep1_1",
    "measurement_source": "source_file=a.csv; silicon_concurrency=16; measured=2026-01-02T00:00:00.000Z; wip=False",
    "engine": "vllm",
    "engine_version": "0.15.1",
    "model_as_named": "meta-llama/Llama-3.1-70B",
    "system_as_named": "h200_sxm",
    "precision_as_named": "fp8",
    "serving_mode": "agg",
    "input_tokens": 1024,
    "output_tokens": 1024,
    "gemm_quant_mode": "fp8",
    "moe_quant_mode": "fp8",
    "batch_size": 16,
    "tensor_parallel_size": 1,
    "pipeline_parallel_size": 1,
    "attention_data_parallel_size": 1,
    "moe_tensor_parallel_size": 1,
    "moe_expert_parallel_size": 1,
    "ttft_ms": 500.0,
    "time_per_output_token_ms": 25.0,
}


def measured_lineage(parsed: pl.DataFrame) -> pl.LazyFrame:
    return with_lineage(parsed, datetime(2026, 4, 27))


def feed(raw: pl.LazyFrame) -> pl.LazyFrame:
    module = SourceModule(SOURCE, serving.SOURCE, serving.fetch, serving.parse, serving.normalise, SOURCE)
    return unite_feed("throughput", {SOURCE: raw}, {SOURCE: module}, catalogue())


def staged(raw: pl.LazyFrame, as_of: date = AS_OF) -> pl.LazyFrame:
    inputs = {f"reference_{name}": curated(f"reference_{name}") for name in REFERENCES}
    return model("staging", "throughput_measurement")(all_throughput=feed(raw), **inputs, as_of=as_of)


@pytest.fixture(scope="session")
def shipped_bytes() -> bytes:
    return (Path(serving.__file__).parent.parent / "archive" / "serving_measurements.parquet").read_bytes()


@pytest.fixture(scope="session")
def shipped_raw(shipped_bytes: bytes) -> pl.DataFrame:
    return serving.parse(shipped_bytes)


@pytest.fixture(scope="session")
def shipped_feed(shipped_raw: pl.DataFrame) -> pl.LazyFrame:
    return serving.normalise(measured_lineage(shipped_raw))


@pytest.fixture(scope="session")
def shipped(shipped_raw: pl.DataFrame) -> pl.DataFrame:
    return staged(measured_lineage(shipped_raw)).collect()


@pytest.fixture(scope="session")
def usable(shipped: pl.DataFrame) -> pl.LazyFrame:
    return model("marts", "throughput")(throughput_measurement=shipped.lazy())


@pytest.fixture
def judge() -> Callable[..., pl.DataFrame]:
    """Staging rows of hand-made runs: each argument is what differs from GOOD; rows in the order given."""

    def run(*differences: dict[str, Any]) -> pl.DataFrame:
        schema = {k: v for k, v in catalogue().tables[SOURCE].polars_schema().items() if k not in ("fetched_at", "snapshot_sha256")}
        rows = [{**dict.fromkeys(schema), **GOOD, **difference} for difference in differences]
        raw = pl.DataFrame(rows, schema=schema)
        order = pl.LazyFrame({"measurement_id": raw.get_column("measurement_id")}).with_row_index("position")
        found = staged(measured_lineage(raw)).join(order, on="measurement_id", how="left").sort("position").drop("position")
        return found.collect()

    return run
