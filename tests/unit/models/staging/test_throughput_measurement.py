"""Each rule of the cleaning, on hand-made rows."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

Judge = Callable[..., pl.DataFrame]
NO_ID_TP = {"measurement_id": "dsr1_b200_sglang_fp8_agg_1024x1024_c64_cfg1", "model_as_named": "deepseek-ai/DeepSeek-R1"}


def parallel(tensor: int, data: int | None, moe_tensor: int, expert: int) -> dict[str, Any]:
    return {
        "tensor_parallel_size": tensor,
        "attention_data_parallel_size": data,
        "moe_tensor_parallel_size": moe_tensor,
        "moe_expert_parallel_size": expert,
    }


def test_a_good_row_passes(judge: Judge) -> None:
    row = judge({}).row(0, named=True)
    assert row["throughput_id"] == "aiconfigurator_serving/" + row["measurement_id"]
    assert (row["model"], row["gpu"], row["precision"]) == ("Llama-3.1-70B", "h200-sxm-141", "fp8")
    assert (row["gpu_count"], row["gpu_count_stated"], row["concurrency"]) == (1, 1, 16)
    assert (row["exclusion_reason"], row["gpu_count_correction"], row["model_correction"], row["precision_correction"]) == (None,) * 4
    assert (row["confidence"], row["is_estimated"], row["measured_on"]) == ("high", False, date(2026, 1, 2))
    assert row["output_tokens_per_second"] == pytest.approx(16 * 1024 / (0.5 + 0.025 * 1023))
    assert row["decode_roof_tokens_per_second"] == pytest.approx(4.8e12 / 70.6e9)
    assert row["prefill_roof_tokens_per_second"] == pytest.approx(1979e12 / (2 * 70.6e9))


@pytest.mark.parametrize(
    ("difference", "stated", "count"),
    [
        # The id names the count.
        ({**parallel(64, 1, 8, 8), "measurement_id": "x_c16_tp8_ep8_1"}, 64, 8),
        ({**parallel(1, 64, 8, 8), "measurement_id": "x_c16_tp8_0_ep8_0_1"}, 64, 8),
        ({**parallel(1, 8, 1, 8), "measurement_id": "x_c16_tp8_0_ep8_0_1"}, 8, 8),
        ({**parallel(4, None, 2, 2), "measurement_id": "x_c16_tp4_epnone_1"}, 4, 4),
        # No count in the id: the square root where the experts' parallelisms repeat each other.
        ({**parallel(64, 1, 8, 8), **NO_ID_TP}, 64, 8),
        ({**parallel(1, 16, 4, 4), **NO_ID_TP}, 16, 4),
        ({**parallel(4, 4, 1, 16), **NO_ID_TP}, 16, 4),
        # Nothing repeats: the product stands.
        ({**parallel(8, 1, 8, 1), **NO_ID_TP}, 8, 8),
        ({**parallel(1, 8, 1, 8), **NO_ID_TP}, 8, 8),
        ({**parallel(1, 1, 1, 1), **NO_ID_TP}, 1, 1),
        ({**parallel(2, None, 2, 1), **NO_ID_TP}, 2, 2),
        ({**parallel(2, 0, 0, 0), **NO_ID_TP}, 2, 2),
    ],
)
def test_gpu_count(judge: Judge, difference: dict[str, Any], stated: int, count: int) -> None:
    row = judge({"system_as_named": "b200_sxm", **difference}).row(0, named=True)
    assert (row["gpu_count_stated"], row["gpu_count"]) == (stated, count)
    assert (row["gpu_count_correction"] is not None) == (stated != count)


def test_more_than_eight_gpus_of_an_aggregated_sxm_machine(judge: Judge) -> None:
    tp16 = {**parallel(16, 1, 16, 1), "measurement_id": "x_c16_tp16_ep1_1"}
    sxm, rack = judge(tp16, {**tp16, "measurement_id": "y_c16_tp16_ep1_1", "system_as_named": "gb200"}).iter_rows(named=True)
    assert "more than the 8 GPUs" in sxm["exclusion_reason"]
    assert (rack["exclusion_reason"], rack["confidence"]) == (None, "low")


def disaggregated(workers: int | None) -> dict[str, Any]:
    sizes = {"tensor": 4, "pipeline": 1, "attention_data": 2}
    return {
        "measurement_id": "x_disagg_c16_cfg1",
        "serving_mode": "disagg",
        "batch_size": None,
        **dict.fromkeys(("tensor_parallel_size", "pipeline_parallel_size", "attention_data_parallel_size")),
        **dict.fromkeys(("moe_tensor_parallel_size", "moe_expert_parallel_size")),
        **{f"{phase}_{name}_parallel_size": size for phase in ("prefill", "decode") for name, size in sizes.items()},
        "prefill_worker_count": workers,
        "decode_worker_count": workers and 2 * workers,
    }


def test_disaggregated_counts_the_workers_of_both_phases(judge: Judge) -> None:
    row = judge(disaggregated(3)).row(0, named=True)
    assert (row["gpu_count"], row["exclusion_reason"], row["is_disaggregated"]) == (3 * 8 + 6 * 8, None, True)


def test_disaggregated_without_workers_is_excluded(judge: Judge) -> None:
    row = judge(disaggregated(None)).row(0, named=True)
    assert row["gpu_count"] is None
    assert row["output_tokens_per_second_per_gpu"] is None
    assert row["exclusion_reason"].startswith("disaggregated without worker counts")


def test_requests_in_flight_are_not_those_of_one_rank(judge: Judge) -> None:
    frame = judge(
        {"batch_size": 4},
        {"batch_size": 4, "measurement_source": "a", "measurement_id": "x_c32_tp1_ep1_2"},
        {"batch_size": 4, "measurement_source": "a", "measurement_id": "x_c_tp1_ep1_3"},
        {"batch_size": None, "measurement_source": "a", "measurement_id": "x_c_tp1_ep1_4"},
    )
    assert frame.get_column("concurrency").to_list() == [16, 32, 4, None]
    assert frame.get_column("exclusion_reason").to_list() == [None] * 3 + ["the number of requests in flight is not stated"]


def test_dsr1_is_r1_and_another_v3_is_not(judge: Judge) -> None:
    v3 = {"model_as_named": "deepseek-ai/DeepSeek-V3", "system_as_named": "b200_sxm", **parallel(8, 1, 8, 1)}
    r1, other = judge({**v3, "measurement_id": "dsr1_b200_c16_cfg1"}, {**v3, "measurement_id": "dsv3_b200_c16_cfg1"}).iter_rows(named=True)
    assert (r1["model"], r1["exclusion_reason"]) == ("DeepSeek-R1", None)
    assert r1["model_correction"] is not None
    assert (other["model"], other["model_correction"]) == (None, None)
    assert other["exclusion_reason"] == "the model is not in the table of models"


def test_precision_that_is_not_stated(judge: Judge) -> None:
    none = {"precision_as_named": None, "measurement_id": "x_c16_tp2_1", "tensor_parallel_size": 2}
    bare, quantised = judge({**none, "gemm_quant_mode": None, "moe_quant_mode": None}, {**none, "measurement_id": "x_c16_tp2_2"}).iter_rows(
        named=True
    )
    assert (bare["precision"], bare["confidence"], bare["exclusion_reason"]) == ("bf16", "low", None)
    assert bare["precision_correction"].startswith("not stated")
    assert (quantised["precision"], quantised["exclusion_reason"]) == (None, "precision is not stated")


def test_unknown_device(judge: Judge) -> None:
    row = judge({"system_as_named": "abacus_9000"}).row(0, named=True)
    assert (row["gpu"], row["exclusion_reason"]) == (None, "the device is not known")


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"ttft_ms": 24_000.0}, None),
        ({"ttft_ms": 24_001.0}, "time to the first token above 24 s"),
        # 141.2 GB of bf16 weights do not fit into 141 GB.
        ({"precision_as_named": "bf16"}, "the weights do not fit"),
        # The roof of 4.8 TB/s over 70.6 GB is 67.99 tokens per second.
        ({"time_per_output_token_ms": 1000 / 67.9}, None),
        ({"time_per_output_token_ms": 1000 / 68.1}, "decodes faster"),
        # The roof of 1979 TF over 2 x 70.6 G is 14,016 tokens per second.
        ({"ttft_ms": 1024 / 14_000 * 1000}, None),
        ({"ttft_ms": 1024 / 14_030 * 1000}, "takes in input faster"),
        ({"input_tokens": 32_768, "output_tokens": 128, "ttft_ms": 2400.0}, "takes in input faster"),
    ],
)
def test_exclusions(judge: Judge, difference: dict[str, Any], reason: str | None) -> None:
    found = judge(difference).item(0, "exclusion_reason")
    assert found is None if reason is None else found.startswith(reason)


@pytest.mark.parametrize(
    ("difference", "is_spoilt"),
    [
        ({}, True),
        ({"measurement_source": "silicon_concurrency=512; measured=2026-03-27T08:01:51Z"}, False),
        ({"measurement_source": "silicon_concurrency=256; measured=2025-12-05T00:00:00.000Z"}, False),
        ({"system_as_named": "h200_sxm"}, False),
    ],
)
def test_gpt_oss_at_512_in_december(judge: Judge, difference: dict[str, Any], is_spoilt: bool) -> None:
    run = {
        "model_as_named": "openai/gpt-oss-120b",
        "system_as_named": "h100_sxm",
        "precision_as_named": "fp4",
        "measurement_source": "silicon_concurrency=512; measured=2025-12-05T00:00:00.000Z; wip=False",
        "tensor_parallel_size": 8,
        "measurement_id": "x_c512_tp8_ep1_1",
    }
    reason = judge({**run, **difference}).item(0, "exclusion_reason")
    assert (reason is not None and "concurrency 512" in reason) == is_spoilt


@pytest.mark.parametrize(
    ("difference", "confidence"),
    [
        ({"measurement_source": "silicon_concurrency=16; measured=2026-01-02; wip=True; image=x"}, "low"),
        ({"system_as_named": "gb200", "tensor_parallel_size": 12, "measurement_id": "x_c16_tp12_ep1_1"}, "low"),
        ({"system_as_named": "gb200", "tensor_parallel_size": 72, "measurement_id": "x_c16_tp72_ep1_1"}, "low"),
        ({"system_as_named": "gb200", "tensor_parallel_size": 8, "measurement_id": "x_c16_tp8_ep1_1"}, "high"),
        # Experts over four GPUs, two counted, and no word of data parallelism.
        ({**parallel(2, None, 4, 1), "measurement_id": "x_c16_tp2_epnone_1"}, "low"),
        ({**parallel(4, None, 4, 1), "measurement_id": "x_c16_tp4_epnone_1"}, "high"),
    ],
)
def test_confidence(judge: Judge, difference: dict[str, Any], confidence: str) -> None:
    assert judge(difference).item(0, "confidence") == confidence


def test_of_equal_rows_the_usable_and_surer_one_is_kept(judge: Judge) -> None:
    copies = judge({}, {"measurement_id": "a_c16_tp1_1"}, {"measurement_id": "z_c16_tp1_1"})
    assert copies.get_column("exclusion_reason").is_null().to_list() == [False, True, False]
    unfinished = {"measurement_id": "a_c16_tp1_1", "measurement_source": "silicon_concurrency=16; wip=True"}
    assert judge({}, unfinished).get_column("exclusion_reason").is_null().to_list() == [True, False]
    different = {"measurement_id": "a_c16_tp1_1", "ttft_ms": 500.000001}
    assert judge({}, different).get_column("exclusion_reason").is_null().all()


def test_what_is_not_known_yet_is_not_there(judge: Judge) -> None:
    later = {"measurement_id": "b_c16_tp1_1", "measurement_source": "silicon_concurrency=16; measured=2027-01-02"}
    assert judge({}, later).height == 1


def test_the_published_count_without_its_data_parallelism_is_counted_anew(judge: Judge) -> None:
    # Q12: four replicas of one GPU each are four GPUs, else the rate per GPU is four times what it is.
    one, four = (
        judge({}, {**parallel(1, 4, 1, 4), **NO_ID_TP})
        .sort("gpu_count")["gpu_count", "output_tokens_per_second", "output_tokens_per_second_per_gpu"]
        .rows()
    )
    assert (one[0], four[0]) == (1, 4)
    assert four[2] == pytest.approx(four[1] / 4)


@pytest.mark.parametrize(("ttft_ms", "reason"), [(1000.0, "takes in input faster than arithmetic allows"), (1300.0, None)])
def test_the_published_rate_above_the_roof_is_excluded_by_name(judge: Judge, ttft_ms: float, reason: str | None) -> None:
    # Q15: 9,000 input tokens a second and GPU of a 70B model in bf16 on H100, whose arithmetic allows 7,007.
    bf16 = {"system_as_named": "h100_sxm", "precision_as_named": "bf16", "gemm_quant_mode": "bfloat16", "time_per_output_token_ms": 100.0}
    two = {**bf16, **parallel(2, 1, 2, 1), "measurement_id": "llama_h100_sxm_vllm_bf16_agg_18000x100_c1_tp2_ep1_1"}
    alone = {"measurement_source": "silicon_concurrency=1; measured=2026-01-02T00:00:00.000Z", "batch_size": 1}
    row = judge({**two, **alone, "input_tokens": 18_000, "output_tokens": 100, "ttft_ms": ttft_ms})
    assert row.item(0, "exclusion_reason") == reason
