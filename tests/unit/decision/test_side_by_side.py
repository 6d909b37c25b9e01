"""Answers side by side: what changed and why, a map of ways over loads, workloads on the same machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipelines.decision import (
    WorkloadError,
    as_dict,
    as_html,
    as_markdown,
    as_text,
    compare,
    comparison_as_text,
    decide,
    portfolio,
    sweep,
    sweep_as_text,
    with_answers_apart,
)
from pipelines.decision.market import ApiOffer
from pipelines.decision.plan import Apart
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


def answered(loads: list[np.ndarray]) -> Any:
    """The answer to a portfolio of such loads, where tokens cost what an owned server does at two thirds of its use."""
    named = [(workload().model_copy(update={"name": f"load {n}"}), hours) for n, hours in enumerate(loads)]
    shared = portfolio(named)
    tokens = replace(SELLER, output_usd=1.5 * 87_600 / (43_800 * CAPACITY / 1e6))
    return with_answers_apart(decide(*shared, market(api_offers=[tokens]), draws=50), named), named


def test_a_portfolio_that_is_dearer_than_answers_apart_says_so_first() -> None:
    # A server is full with the first; both need a second one, which is all but idle, or tokens for both.
    found, named = answered([load(1.0), load(0.05)])
    assert [one.kind for one in found.apart] == ["own", "api"] and found.best.kind == "api"
    alone = [decide(w, hours, found.market, draws=1) for w, hours in named]
    assert found.apart_usd == pytest.approx(sum(cost(one, kind) for one, kind in zip(alone, ("own", "api"), strict=True)))
    assert found.apart_usd < found.best.cost_usd[5]["base"]
    text = as_text(found)
    assert "apart, its workloads would cost less" in " ".join(text.splitlines()[4:6])
    apart, shared = found.apart_usd, found.best.cost_usd[5]["base"]
    assert f"cost {apart:,.0f} USD over 5 years, on the same machines {shared:,.0f}: sharing costs" in " ".join(text.split())
    for shown in (text, as_markdown(found), as_html(found)):
        assert "Answered apart, over 5 years, in USD" in shown and "load 1" in shown
    document = as_dict(found)["apart"]
    assert document["cost"] == pytest.approx(apart) and [one["kind"] for one in document["workloads"]] == ["own", "api"]


def test_a_portfolio_that_saves_says_how_much() -> None:
    found, _ = answered([load(0.5), load(0.5)])
    text = " ".join(as_text(found).split())
    assert found.apart_usd > found.best.cost_usd[5]["base"] and "sharing saves" in text and "would cost less" not in text


def test_one_workload_has_no_answers_apart() -> None:
    found = decide(workload(), load(0.5), market(), draws=1)
    assert (found.apart, found.apart_usd, as_dict(found)["apart"]) == ((), None, None)
    assert "apart" not in as_text(found)


def test_ways_apart_that_need_more_than_the_budget_are_no_saving() -> None:
    found, _ = answered([load(1.0), load(0.05)])
    [own, _tokens] = found.apart
    budget = own.capital_usd / found.usd_per_unit * 1.5
    bound = found.workload.model_copy(update={"constraints": found.workload.constraints.model_copy(update={"capital_budget": budget})})
    twice = replace(found, workload=bound, apart=(own, own))
    assert twice.apart_is_over_budget and "more capital together than the budget" in as_text(twice)
    assert not replace(twice, apart=(own,)).apart_is_over_budget


def test_a_workload_that_nothing_serves_apart_is_named() -> None:
    found, _ = answered([load(1.0), load(0.05)])
    lacking = replace(found, apart=(found.apart[0], Apart("load 1", None, None, None, None)))
    assert lacking.apart_usd is None and "Answered apart, load 1 would not be served." in as_text(lacking)
    assert as_dict(lacking)["apart"]["cost"] is None
