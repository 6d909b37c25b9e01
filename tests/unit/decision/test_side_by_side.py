"""Answers side by side: what changed and why, a map of ways over loads, workloads on the same machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipelines.decision import WorkloadError, compare, comparison_as_text, decide, portfolio, sweep, sweep_as_text
from pipelines.decision.market import ApiOffer
from pipelines.decision.quotes import Quotes
from pipelines.decision.workload import Load, Objective, Purchase, Resilience, ScaleToZero, Tokens
from tests.unit.decision.test_plan import CAPACITY, DAY, cost, load, market, offer, workload

SELLER = ApiOffer("seller", "m", 0.0, 1.0, DAY, 0, "a page")


def test_what_changed_is_traced_to_the_inputs_that_changed_it() -> None:
    dear = market(offers=[offer("on_demand", 2.0)])
    cheap = market(offers=[offer("on_demand", 0.1)])
    found = compare(workload(), load(0.5), dear, cheap, ("then", "now"))
    assert found.turned and (found.then, found.now) == ("own", "on_demand")
    turning = {name for name, kind, _ in found.causes if kind == "on_demand"}
    assert turning == {"rented prices"}


def test_a_sweep_is_a_map_of_ways() -> None:
    seller = ApiOffer("seller", "m", 0.0, 1.0, DAY, 0, "a page")
    points = sweep(workload(), load(1.0), market(api_offers=[seller]), 1e3, 1e9, points=7)
    assert points[0]["kind"] == "api" and points[-1]["kind"] == "own"
    assert [p["tokens_per_day"] for p in points] == pytest.approx([10.0**n for n in range(3, 10)])


def test_workloads_on_shared_machines_need_fewer() -> None:
    pair = [(workload(), load(0.4)), (workload(), load(0.5))]
    _, shared = portfolio(pair)
    assert cost(decide(workload(), shared, market(), draws=1), "own") == pytest.approx(87_600)
    with pytest.raises(WorkloadError, match="horizon_years"):
        portfolio([pair[0], (workload(horizon_years=3), load(1.0))])


def test_answers_side_by_side_are_in_the_money_of_the_workload_each_at_its_own_rate() -> None:
    euros = workload().model_copy(update={"currency": "EUR"})
    now = replace(market(), usd_per_eur=1.0)
    found = compare(euros, load(1.0), market(), now, ("then", "now"))
    [own] = [change for change in found.changes if change.kind == "own"]
    # 87,600 USD at 1.25 and at 1 USD for a euro.
    assert (own.then_cost, own.now_cost) == (pytest.approx(70_080), pytest.approx(87_600))
    assert {name: cost for name, _, cost in found.causes}["exchange rate"] == pytest.approx(87_600)
    text = comparison_as_text(euros, found)
    assert "then, EUR" in text and "USD" not in text
    points = sweep(euros, load(1.0), market(), CAPACITY * 24, CAPACITY * 48, points=2)
    assert points[0]["cost"] == pytest.approx(70_080) and points[0]["per_million"] == pytest.approx(70_080 / (43_800 * CAPACITY / 1e6))
    assert sweep_as_text([(euros, points)]).count("EUR") == 2 and "USD" not in sweep_as_text([(euros, points)])


OTHERS: list[dict[str, Any]] = [
    {"model": "another"},
    {"precisions": ("fp8",)},
    {"tokens": Tokens(input=1000, output=501)},
    {"objective": Objective(ttft_s=1, time_per_output_token_s=0.05)},
    {"horizon_years": 3},
    {"currency": "EUR"},
    {"electricity_area": "FR"},
    {"scale_to_zero": ScaleToZero(cold_start_s=60)},
    {"resilience": Resilience(spare_servers=1)},
    {"purchase": Purchase(stage_years=2)},
    {"quotes": Quotes(electricity_per_kwh=0.1)},
    {"estimates": "never"},
    {"assumptions": {"pue": 1.2}},
    {"count": ("lease",)},
    {"load": Load(output_tokens_per_day=1.0, shape="constant", growth_per_year=0.1)},
    {"load": Load(output_tokens_per_day=1.0, shape="growing")},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: "-".join(f"{name}" for name in other))
def test_workloads_that_ask_for_different_things_share_no_machines(other: dict[str, Any]) -> None:
    first, second = workload(), workload().model_copy(update={"name": "b", **other})
    with pytest.raises(WorkloadError) as error:
        portfolio([(first, load(1.0)), (second, load(1.0))])
    [name] = other
    said = str(error.value)
    assert said.startswith(name) and " of 'b' is " in said and "that of 'w' " in said and "where machines are shared" in said


def test_workloads_on_shared_machines_are_one_load() -> None:
    first, second = workload(), workload().model_copy(update={"name": "b"})
    bursty = second.model_copy(update={"load": Load(output_tokens_per_day=1.0, shape="bursty")})
    whole, hours = portfolio([(first, load(0.4)), (second, load(0.5))])
    assert whole.name == "w + b" and whole.load.shape == "constant" and np.allclose(hours, 0.9 * CAPACITY)
    assert whole.load.output_tokens_per_day == pytest.approx(0.9 * CAPACITY * 24)
    mixed, _ = portfolio([(first, load(0.4)), (bursty, load(0.0, 1.0))])
    assert mixed.load.shape is None and mixed.load.output_tokens_per_day == pytest.approx(0.9 * CAPACITY * 24)
    read = workload().model_copy(update={"tokens": Tokens(input=1000, output=0), "load": Load(csv="a.csv")})
    summed, _ = portfolio([(read, load(0.4)), (read, load(0.5))])
    assert summed.load.csv is None and summed.load.input_tokens_per_day == pytest.approx(0.9 * CAPACITY * 24)
