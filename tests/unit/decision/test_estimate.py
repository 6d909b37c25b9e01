"""Rates that nobody measured: within memory and limits, monotone where physics is, with an error that is that of what was left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipelines.decision.errors import RateError, _error, _sweep_misses
from pipelines.decision.estimate import Device, Level, Model, Run, carrying_error, fastest, level_of, step_seconds
from pipelines.decision.rates import left_out

H100 = Device("h100-sxm-80", 80e9, 3.35e12, {"bf16": 989e12, "fp8": 1979e12})
L4 = Device("l4-24", 24e9, 0.3e12, {"bf16": 121e12})
SMALL, LARGE = Model("small", 8e9, 8e9), Model("large", 70e9, 70e9)
LEVEL = Level(1.5, 0.5, 100)
LIMITS = (2.0, 0.05)


def rate(model: Model, device: Device, precision: str, gpus: float, lengths: tuple[float, float] = (1024.0, 1024.0)) -> float:
    found = fastest(model, device, precision, gpus, lengths, LIMITS, LEVEL)
    return 0.0 if found is None else found[0]


def test_memory_decides() -> None:
    assert rate(LARGE, H100, "bf16", 1.0) == 0.0 and rate(LARGE, H100, "bf16", 4.0) > 0
    assert rate(LARGE, L4, "bf16", 1.0) == 0.0
    assert fastest(SMALL, L4, "fp8", 1.0, (1024.0, 1024.0), LIMITS, LEVEL) is None  # no rate of the device in this precision


def test_narrower_weights_shorter_prompts_and_more_devices_serve_more() -> None:
    assert rate(SMALL, H100, "fp8", 1.0) > rate(SMALL, H100, "bf16", 1.0)
    assert rate(SMALL, H100, "fp8", 1.0, (256.0, 1024.0)) > rate(SMALL, H100, "fp8", 1.0, (8192.0, 1024.0))
    assert rate(LARGE, H100, "fp8", 8.0) > rate(LARGE, H100, "fp8", 2.0)


def test_a_tighter_limit_never_serves_more() -> None:
    tight = fastest(LARGE, H100, "fp8", 8.0, (1024.0, 1024.0), (2.0, 0.02), LEVEL)
    assert tight is None or tight[0] <= rate(LARGE, H100, "fp8", 8.0)


def test_the_level_is_found_again_and_its_error_is_that_of_models_left_out() -> None:
    def run(model: Model, concurrency: float, times: float) -> Run:
        step = step_seconds(model, H100, "fp8", 4.0, (1024.0, 1024.0), np.array([concurrency]))[0]
        return Run(model, H100, "fp8", 4.0, 1024, 1024, concurrency, times * concurrency / step)

    exact = level_of([run(m, c, 1.4) for m in (SMALL, LARGE) for c in (1.0, 8.0, 64.0)])
    assert exact.factor == pytest.approx(1.4) and exact.error_share == pytest.approx(0.0, abs=1e-9) and exact.runs == 6
    apart = level_of([run(SMALL, c, 1.0) for c in (1.0, 8.0)] + [run(LARGE, c, 2.0) for c in (1.0, 8.0)])
    assert apart.error_share == pytest.approx(1.0)


def test_an_estimate_keeps_to_the_requests_at_a_time_that_were_tried() -> None:
    free = fastest(SMALL, H100, "fp8", 1.0, (1024.0, 1024.0), LIMITS, LEVEL)
    held = fastest(SMALL, H100, "fp8", 1.0, (1024.0, 1024.0), LIMITS, LEVEL, 16.0)
    assert free is not None and held is not None and held[1] == 16.0 < free[1] and held[0] < free[0]


def test_points_of_a_sweep_are_left_out_in_turn() -> None:
    straight = {"at_a_time": [1.0, 2.0, 4.0], "rates": [10.0, 20.0, 40.0]}
    assert _sweep_misses(straight) == pytest.approx([0.0])
    bent = {"at_a_time": [1.0, 2.0, 3.0], "rates": [10.0, 40.0, 30.0]}
    assert _sweep_misses(bent) == pytest.approx([math.log(2.0)])
    assert _error("m", "s", [math.log(1.1)] * 4 + [math.log(3.0)]) == RateError(
        "m", "s", 5, pytest.approx(0.1), pytest.approx(0.1, abs=0.5), pytest.approx(2.0)
    )
    assert _error("m", "s", []).half_within is None


def test_an_error_without_pairs_is_no_certainty() -> None:
    assert carrying_error([]) == 1.0
    assert carrying_error([(1.0, 2.0)] * 5) == pytest.approx(1.0)


def rated(lengths: tuple[int, int], rate: float, concurrency: float = 64.0, **facts: Any) -> dict[str, Any]:
    given, written = lengths
    common = {"gpu": "g", "precision": "fp8", "gpu_count": 8.0, "engine": "a", "ended_early": False}
    made = {"input_tokens": given, "output_tokens": written, "output_tokens_per_second_per_gpu": rate, "concurrency": concurrency}
    return {**common, **made, **facts}


def test_a_rate_is_carried_within_its_engine_and_from_a_sweep_that_a_limit_ended() -> None:
    near = rated((1024, 2048), 90.0, engine="b")
    cut = rated((1024, 512), 80.0, ended_early=True)
    same = rated((2048, 2048), 70.0)
    asked = rated((1024, 1024), 100.0)
    pairs = left_out([[asked, near, cut, same]], lambda r, _: (r["output_tokens_per_second_per_gpu"], 64.0))
    assert pairs[0] == (70.0, 100.0)


def test_a_sweep_that_ended_early_refutes_no_higher_rate_with_more_requests_at_a_time() -> None:
    cut, whole = rated((1024, 1024), 10.0, concurrency=4.0, ended_early=True), rated((1024, 2048), 90.0)
    assert left_out([[cut, whole]], lambda _r, _l: (90.0, 64.0)) == [(90.0, 90.0)]
    assert left_out([[cut, whole]], lambda _r, _l: (90.0, 4.0)) == [(90.0, 10.0), (90.0, 90.0)]
