"""InferenceX: GPUs of both parts add up where they are apart, and a rate with tokens guessed ahead is set aside by name."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.sources import inferencex
from tests.support.paths import FIXTURES
from tests.support.tables import with_lineage


def test_measurements_as_throughput() -> None:
    frame = inferencex.parse((FIXTURES / "inferencex" / "answer.json").read_bytes())
    fed = inferencex.normalise(with_lineage(frame))
    catalogue().feeds["throughput"].conform(fed)
    found = {(r["gpu_as_named"], r["concurrency"]): r for r in fed.collect().to_dicts()}
    assert (found["H200 SXM 141GB", 64]["tokens_per_second_stated"], found["H200 SXM 141GB", 64]["gpu_count"]) == (3200.0, 8.0)
    assert found["H200 SXM 141GB", 128]["ttft_s"] == 0.9 and found["H200 SXM 141GB", 64]["measured_on"] == dt.date(2026, 10, 1)
    apart = found["gb200", 64]
    assert (apart["is_disaggregated"], apart["gpu_count"], apart["tokens_per_second_stated"], apart["precision"]) == (
        True,
        16.0,
        6400.0,
        "fp4",
    )
    assert found["mi355x", 64]["exclusion_reason"] == "speculative decoding: the rate depends on the text"


def test_a_system_that_was_run_twice_is_one_row_and_another_fetch_no_second_one() -> None:
    frame = inferencex.parse((FIXTURES / "inferencex" / "answer.json").read_bytes())
    both = with_lineage(frame).collect().vstack(with_lineage(frame, dt.datetime(2026, 11, 24, 6)).collect())
    assert inferencex.normalise(both.lazy()).collect().height == frame.height


@pytest.mark.parametrize(
    ("stated", "is_miscounted"),
    [
        ({"decode_tp": 8, "decode_num_workers": 1}, False),
        ({"decode_tp": 8, "decode_num_workers": 0}, False),
        ({"decode_tp": 8, "decode_ep": 8, "decode_dp_attention": True}, False),
        ({"decode_tp": 4, "decode_dp": 2}, False),
        ({"decode_dp": 2}, False),
        ({"decode_tp": 8, "decode_dp": 4}, True),
        ({"decode_tp": 2, "decode_num_workers": 2}, True),
    ],
)
def test_gpus_that_are_not_the_product_of_the_parallelisms_are_set_aside_by_name(stated: dict[str, object], is_miscounted: bool) -> None:
    row = json.loads((FIXTURES / "inferencex" / "answer.json").read_bytes())[0]
    frame = inferencex.parse(json.dumps([row | stated]).encode())
    [reason] = inferencex.normalise(with_lineage(frame)).collect().get_column("exclusion_reason")
    assert reason == ("the stated GPUs are not the product of the parallelisms" if is_miscounted else None)


@pytest.mark.parametrize(("rates", "kept"), [((300.0, 500.0, 400.0), 400.0), ((500.0, 300.0), 300.0), ((400.0,), 400.0)])
def test_of_several_runs_the_middle_one_stands(rates: tuple[float, ...], kept: float) -> None:
    row = json.loads((FIXTURES / "inferencex" / "answer.json").read_bytes())[0]
    runs = [row | {"metrics": row["metrics"] | {"output_tput_per_gpu": rate}} for rate in rates]
    frame = inferencex.parse(json.dumps(runs).encode())
    assert frame["output_tokens_per_second_per_gpu"].to_list() == [kept]
