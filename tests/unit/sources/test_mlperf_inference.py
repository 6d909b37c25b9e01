"""MLPerf results: from a summary to measurements that stand beside the others and answer for no workload."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.costing.throughput_selection import fastest_within
from pipelines.quality.row_rules import check_rows
from pipelines.sources import mlperf_inference
from pipelines.sources.lib.errors import ParseError, SourceError
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES
from tests.support.tables import AT, curated, with_lineage

CONTENT = (FIXTURES / "mlperf_inference" / "summary_results.json").read_bytes()
NEW = (FIXTURES / "mlperf_inference" / "answer_v6.json").read_bytes()


def raw(*contents: bytes) -> pl.LazyFrame:
    frames = [with_lineage(mlperf_inference.parse(content), AT + dt.timedelta(days=i), f"{i:064x}") for i, content in enumerate(contents)]
    return catalogue().tables["mlperf_inference"].conform(pl.concat(frames))


def measured(*contents: bytes) -> pl.DataFrame:
    fed = catalogue().feeds["throughput"].conform(mlperf_inference.normalise(raw(*contents)))
    facts = {"source": "mlperf_inference", "semantics": "table"}
    numbers = {"precedence": 100, "staleness_limit_days": 365}
    united = fed.with_columns(*(pl.lit(v).alias(k) for k, v in facts.items()), *(pl.lit(v, pl.Int64).alias(k) for k, v in numbers.items()))
    names = ("reference_model", "reference_model_alias", "reference_gpu", "reference_gpu_alias_rule", "reference_gpu_spec")

    function = models()["throughput_measurement"].function
    assert function is not None
    contract = catalogue().tables["throughput_measurement"]
    found = contract.conform(function(all_throughput=united, as_of=AT.date(), **{name: curated(name) for name in names}))
    checked = check_rows(contract, found, may_quarantine=True)
    assert checked.quarantined.is_empty()
    return checked.good.sort("throughput_id")


SUMMARIES = {
    "v4.1": "/mlcommons/inference_results_v4.1/main/summary_results.json",
    "v5.1": "/mlcommons/inference_results_v5.1/main/summary_results.json",
    "v6.1": "/mlcommons/inference_results_v6.1/main/summary.json",
}


def test_the_summary_is_asked_for_by_round() -> None:
    with loopback({path: [CONTENT] for path in SUMMARIES.values()}) as server:
        payloads = list(mlperf_inference.fetch(fetch_context(server.url)))
    assert [p.name for p in payloads] == [f"{name}.json" for name in SUMMARIES] and payloads[0].content == CONTENT


def test_a_round_that_does_not_answer_takes_no_other_away() -> None:
    problems: list[str] = []
    gone = (404, {}, b"")
    with loopback({SUMMARIES["v4.1"]: [gone], SUMMARIES["v5.1"]: [CONTENT], SUMMARIES["v6.1"]: [NEW]}) as server:
        payloads = list(mlperf_inference.fetch(fetch_context(server.url, problems)))
    assert [p.name for p in payloads] == ["v5.1.json", "v6.1.json"]
    assert len(problems) == 1 and problems[0].startswith("v4.1: ")
    with loopback({path: [gone] for path in SUMMARIES.values()}) as server, pytest.raises(SourceError):
        list(mlperf_inference.fetch(fetch_context(server.url)))


def test_the_keys_of_later_rounds_say_the_same() -> None:
    found = measured(NEW)
    columns = ["model", "gpu", "gpu_count", "precision", "scenario", "output_tokens_per_second_per_gpu"]
    assert found.filter(pl.col("exclusion_reason").is_null()).select(columns).sort(columns).rows() == [
        ("gpt-oss-120b", "mi355x-288", 8.0, "fp4", "MLPerf Offline", 12000.0),
        ("gpt-oss-120b", "mi355x-288", 8.0, "fp4", "MLPerf Server", 10000.0625),
    ]
    assert [reason.split(",")[0] for reason in found["exclusion_reason"].drop_nulls().sort()] == [
        "marked by the benchmark as faulty or inferred",
        "not of the closed division in the datacenter",
        "several kinds of accelerator in one system",
    ]
    assert found["source_detail"].str.starts_with("MLPerf Inference v6.1, A submitter, 8xMI355X_2xCPU").all()
    assert measured(CONTENT, NEW).height == measured(CONTENT).height + found.height


def test_a_result_is_the_rate_of_its_whole_system() -> None:
    found = measured(CONTENT).filter(pl.col("exclusion_reason").is_null())
    columns = ["model", "gpu", "gpu_count", "precision", "scenario", "output_tokens_per_second_per_gpu", "confidence"]
    assert found.select(columns).sort(columns).rows() == [
        ("Llama-2-70B", "h200-sxm-141", 8.0, "fp8", "MLPerf Offline", 4125.0, "high"),
        ("Llama-2-70B", "h200-sxm-141", 8.0, "fp8", "MLPerf Server", 3750.0625, "high"),
        ("Llama-3.1-405B", "h200-sxm-141", 8.0, "fp8", "MLPerf Server", 31.28125, "medium"),
    ]
    assert found["source_detail"].str.starts_with("MLPerf Inference v5.1, A submitter, 8xH200").all()
    assert found["measured_on"].unique().to_list() == [dt.date(2025, 9, 9)]


def test_what_may_not_be_used_says_why() -> None:
    reasons = measured(CONTENT)["exclusion_reason"].drop_nulls().sort().to_list()
    assert [reason.split(",")[0] for reason in reasons] == [
        "a system that cannot be bought",
        "marked by the benchmark as faulty or inferred",
        "not of the closed division in the datacenter",
        "several kinds of accelerator in one system",
        "the number of GPUs is not stated",
    ]


def test_a_result_fetched_again_is_one_row() -> None:
    assert measured(CONTENT, CONTENT).height == measured(CONTENT).height


def test_no_workload_is_answered_by_a_benchmark_at_other_lengths() -> None:
    workload = pl.LazyFrame(
        {"workload": ["w"], "input_tokens": [1024], "output_tokens": [1024], "ttft_limit_s": [2.0], "time_per_output_token_limit_s": [0.05]}
    )
    usable = models()["throughput"].function
    assert usable is not None
    assert fastest_within(usable(throughput_measurement=measured(CONTENT).lazy()), workload).collect().is_empty()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"Performance_Result": "fast"}, "tokens_per_second_stated_not_null"),
        ({"Performance_Result": "1e999"}, "tokens_per_second_stated_not_null"),
        ({"version": "v9.9"}, "round_is_known"),
        ({"Scenario": None}, "scenario_not_null"),
        ({"Nodes": 1.5}, "node_count_not_null"),
        ({"Nodes": None}, "node_count_not_null"),
    ],
)
def test_a_result_that_lacks_something_is_put_aside_by_itself(change: dict[str, Any], rule: str) -> None:
    rows = json.loads(CONTENT)
    rows[0] |= change
    checked = check_rows(catalogue().tables["mlperf_inference"], raw(json.dumps(rows).encode()), may_quarantine=True)
    assert checked.quarantined["rule"].to_list() == [rule]
    assert checked.good.height + checked.quarantined.height == raw(CONTENT).collect().height


def test_a_summary_of_another_round_only_is_named() -> None:
    rows = [row | {"version": "v9.9"} for row in json.loads(CONTENT)]
    with pytest.raises(ParseError, match=r"of a round of v4\.1, v5\.1, v6\.1; found v9\.9"):
        mlperf_inference.parse(json.dumps(rows).encode())


@pytest.mark.parametrize(
    ("named", "precision"),
    [
        ("FP8 (e4m3)", "fp8"),
        ("float8_e4m3fn", "fp8"),
        ("MX-FP4", "fp4"),
        ("NVFP4", "fp4"),
        ("bfloat16", "bf16"),
        ("fp4 + fp8", None),
        ("UNSET", None),
        ("INT8", "int8"),
    ],
)
def test_a_precision_is_known_in_all_its_spellings(named: str, precision: str | None) -> None:
    rows = [row | {"weight_data_types": named} for row in json.loads(CONTENT)]
    found = mlperf_inference.normalise(raw(json.dumps(rows).encode())).collect()
    assert set(found["precision"]) == {precision}


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"<html>"])
def test_no_summary_at_all(content: bytes) -> None:
    with pytest.raises(ParseError):
        mlperf_inference.parse(content)


def test_the_recorded_sample_is_read(shared: Path) -> None:
    found = mlperf_inference.parse((shared / "examples" / "mlperf" / "summary_results_v5.1.json").read_bytes())
    assert found.height >= 1 and (found["tokens_per_second_stated"] > 0).all()
