"""The choice of a measured configuration: equal lengths, both limits, never doubtful, never invented."""

import datetime as dt

import polars as pl

from pipelines.costing.throughput_selection import fastest_within, measured_choice, only_on_larger_systems


def measured(**columns: list[object]) -> pl.LazyFrame:
    rows = max(map(len, columns.values()), default=1)
    defaults: dict[str, object] = {
        "throughput_id": "a",
        "model": "m",
        "precision": "fp8",
        "gpu": "g",
        "input_tokens": 1024,
        "output_tokens": 1024,
        "ttft_s": 1.0,
        "time_per_output_token_s": 0.02,
        "output_tokens_per_second_per_gpu": 100.0,
        "confidence": "high",
        "gpu_count": 8.0,
    }
    return pl.LazyFrame({name: columns.get(name, [value] * rows) for name, value in defaults.items()})


def limits(names: list[str], input_tokens: list[int], ttft: list[float]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "workload": names,
            "input_tokens": input_tokens,
            "output_tokens": [1024] * len(names),
            "ttft_limit_s": ttft,
            "time_per_output_token_limit_s": [0.05] * len(names),
        }
    )


CHAT = limits(["chat"], [1024], [2.0])


def chosen(throughput: pl.LazyFrame, workload: pl.LazyFrame = CHAT) -> list[str]:
    return fastest_within(throughput, workload).sort("workload", "gpu").collect().get_column("throughput_id").to_list()


def test_fastest_per_gpu_within_both_limits() -> None:
    frame = measured(
        throughput_id=["slow", "fast", "late", "stutters"],
        ttft_s=[1.0, 2.0, 2.01, 1.0],
        time_per_output_token_s=[0.02, 0.05, 0.02, 0.051],
        output_tokens_per_second_per_gpu=[100.0, 200.0, 900.0, 900.0],
    )
    assert chosen(frame) == ["fast"]


def test_lengths_are_never_extrapolated() -> None:
    assert chosen(measured(input_tokens=[1023])) == []
    assert chosen(measured(output_tokens=[1000])) == []


def test_low_confidence_is_never_chosen() -> None:
    assert chosen(measured(throughput_id=["sure", "odd"], confidence=["high", "low"], output_tokens_per_second_per_gpu=[1.0, 9.0])) == [
        "sure"
    ]
    assert chosen(measured(confidence=["low"])) == []


def test_ties_are_broken_by_the_id() -> None:
    assert chosen(measured(throughput_id=["b", "a", "c"])) == ["a"]


def test_one_row_per_workload_and_configuration() -> None:
    frame = measured(throughput_id=["one", "two", "three"], gpu=["g", "h", "h"], output_tokens_per_second_per_gpu=[1.0, 2.0, 3.0])
    assert chosen(frame, limits(["chat", "long", "quick"], [1024, 8192, 1024], [2.0, 2.0, 0.5])) == ["one", "three"]


def test_a_rack_is_no_server() -> None:
    with_default = CHAT.with_columns(utilisation_share=pl.lit(0.3), is_default=pl.lit(True))
    frame = measured(
        throughput_id=["server", "servers", "rack"],
        gpu=["h", "h", "g"],
        gpu_count=[8.0, 16.0, 72.0],
        output_tokens_per_second_per_gpu=[100.0, 900.0, 900.0],
    ).with_columns(measured_on=pl.lit(dt.date(2026, 1, 1)))
    choice = measured_choice(frame, with_default).collect()
    assert choice.select("throughput_id", "min_gpu_count").rows() == [("server", 8)]
    assert only_on_larger_systems(frame, with_default).collect().rows() == [("chat", "m", "fp8", "g")]


def test_columns_of_the_result() -> None:
    names = fastest_within(measured(), CHAT).collect_schema().names()
    assert names == [*measured().collect_schema().names(), "workload"]
