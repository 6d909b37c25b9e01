"""The decision on a small market whose answer can be worked out by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.costing.assumptions import SERVER_INPUTS
from pipelines.decision import as_dict, as_html, as_text, decide
from pipelines.decision.market import ApiOffer, Assumption, Market, Measurement, Offer, Server
from pipelines.decision.plan import Decision
from pipelines.decision.workload import Workload

DAY = dt.date(2026, 11, 23)
RATE = 100.0  # output tokens per second per GPU: 2.88 million an hour on a server of eight
CAPACITY = RATE * 8 * 3600


def band(value: float, share: float = 0.0) -> dict[str, float]:
    return {"low": value * (1 - share), "base": value, "high": value * (1 + share)}


def assumption(name: str, value: float, share: float = 0.0) -> Assumption:
    return Assumption(name, band(value, share), "x", "a source", is_assumed=False)


def offer(option: str, usd: float, **facts: Any) -> Offer:
    common: dict[str, Any] = {
        "gpu": "g",
        "gpu_count": 8.0,
        "option": option,
        "commitment_months": 12 if option == "commitment" else None,
        "provider": "cloud",
        "region": "r",
        "country": "US",
        "trust_tier": "datacenter",
        "usd_per_gpu_hour": band(usd),
        "price_basis": "window",
        "price_on": DAY,
        "age_days": 0,
        "source": "a list",
        "series_id": f"{option} {usd} {facts.get('region', 'r')}",
    }
    return Offer(**(common | facts))


def market(**changes: Any) -> Market:
    # A server of 87,600 USD that is worth nothing in the end and costs nothing to run: 87,600 / years / 8,760 an hour.
    zero = dict.fromkeys(SERVER_INPUTS, 0.0) | {"residual_decline_per_year": 100.0, "pue": 1.0}
    assumptions = {(name, None): assumption(name, value) for name, value in zero.items()}
    assumptions["packing_share", None] = assumption("packing_share", 0.8)
    assumptions["spot_mean_time_between_interruptions_s", None] = assumption("spot_mean_time_between_interruptions_s", 6000.0)
    assumptions["spot_restart_s", None] = assumption("spot_restart_s", 300.0)
    made = Market(
        as_of=DAY,
        usd_per_eur=1.25,
        fx_on=DAY,
        measurements=[Measurement("g", "fp8", RATE, 8.0, "t", DAY, "a bench")],
        offers=[offer("on_demand", 2.0)],
        api_offers=[],
        servers=[Server("8x-g", "g", 8.0, band(87_600.0, 0.2), DAY, 0, "a quote", band(10.0, 0.1), False, True)],
        assumptions=assumptions,
        electricity=assumption("electricity_usd_per_kwh", 0.0),
        headquarters={"cloud": "US", "nuage": "FR"},
        certified={("nuage", "fr-1", "SecNumCloud")},
        gpu_memory_gb={"g": 80.0},
    )
    return replace(made, **changes)


def workload(horizon_years: int = 5, growth: float = 0.0, **constraints: Any) -> Workload:
    return Workload.model_validate(
        {
            "name": "w",
            "model": "m",
            "tokens": {"input": 1000, "output": 500},
            "objective": {"ttft_s": 2, "time_per_output_token_s": 0.05},
            "load": {"output_tokens_per_day": 1.0, "shape": "constant", "growth_per_year": growth},
            "horizon_years": horizon_years,
            "constraints": constraints,
        }
    )


def load(*servers: float) -> np.ndarray:
    """A year in which each share of a server's capacity has an equal part of the hours."""
    return np.resize(np.asarray(servers) * CAPACITY, 8760)


def answer(hours: np.ndarray, given_market: Market | None = None, **constraints: Any) -> Decision:
    return decide(workload(**constraints), hours, given_market or market())


def cost(found: Decision, kind: str, years: int = 5) -> float:
    (option,) = [o for o in found.options if o.kind == kind]
    of_years = option.cost_usd[years]
    assert of_years is not None
    return of_years["base"]


def test_full_use_is_owned_and_half_an_hour_a_day_is_rented() -> None:
    # On demand 2.0 * 8 / 0.8 = 20 USD an hour of use; owned 2 USD an hour for five years.
    full = answer(load(1.0))
    assert full.best is not None and full.best.kind == "own"
    assert cost(full, "own") == pytest.approx(87_600)
    assert cost(full, "on_demand") == pytest.approx(20 * 43_800)
    assert full.payback is not None
    assert full.payback.break_even_utilisation_share == pytest.approx(0.1)
    assert full.payback.cash_months == pytest.approx(87_600 / (20 * 730))
    rare = answer(load(*[0.0] * 19, 1.0))
    assert rare.best is not None and rare.best.kind == "on_demand"
    assert cost(rare, "on_demand") == pytest.approx(20 * 43_800 / 20)


def test_a_server_is_owned_for_what_is_used_often_and_the_rest_is_rented() -> None:
    # One server is used always; a second would be used one hour in fifty, a tenth being needed to pay.
    hours = load(*[1.0] * 49, 2.0)
    found = answer(hours)
    assert found.best is not None and (found.best.kind, found.best.servers_owned) == ("hybrid", 1)
    assert cost(found, "hybrid") == pytest.approx(87_600 + 20 * float((hours > CAPACITY).sum()) * 5)
    assert found.best.owned_share == pytest.approx(50 / 51, abs=1e-3)
    assert found.servers_for_peak == 2


def test_shorter_horizons_pay_for_the_whole_server_unless_it_can_be_sold() -> None:
    found = answer(load(1.0))
    assert cost(found, "own", 1) == cost(found, "own", 5) == pytest.approx(87_600)


def test_growth_is_compounded() -> None:
    found = decide(workload(growth=0.1), load(0.5), market())
    assert cost(found, "on_demand") == pytest.approx(20 * 0.5 * 8760 * sum(1.1**y for y in range(5)))


def test_a_commitment_is_paid_every_hour() -> None:
    found = answer(load(1.0), market(offers=[offer("commitment", 1.0), offer("on_demand", 2.0)], servers=[]))
    assert found.best is not None and found.best.kind == "commitment_12_months" and found.best.nodes_committed == 1
    assert cost(found, "commitment_12_months", 1) == pytest.approx(8 * 8760)
    long_term = market(offers=[offer("commitment", 1.0, commitment_months=36), offer("on_demand", 2.0)], servers=[])
    (option,) = [o for o in answer(load(1.0), long_term).options if o.kind == "commitment_36_months"]
    assert option.cost_usd[1] is None


def test_spot_costs_its_restarts() -> None:
    found = answer(load(1.0), market(offers=[offer("spot", 1.0)], servers=[]))
    assert cost(found, "spot", 1) == pytest.approx(8 / 0.95 / 0.8 * 8760)


def test_tokens_are_bought_in_the_workloads_own_mix() -> None:
    seller = ApiOffer("seller", "m", 1.0, 2.0, DAY, 0, "a page")
    found = answer(load(1.0), market(api_offers=[seller]))
    # 1,000 tokens in and 500 out: two in for each one out.
    assert cost(found, "api", 1) == pytest.approx((2 * 1.0 + 2.0) * CAPACITY * 8760 / 1e6)


EU = offer("on_demand", 4.0, provider="nuage", region="fr-1", country="FR")


@pytest.mark.parametrize(
    ("constraints", "region"),
    [
        ({}, "r"),
        ({"countries": ["FR"]}, "fr-1"),
        ({"countries": ["EU"]}, "fr-1"),
        ({"provider_jurisdictions": ["EU"]}, "fr-1"),
        ({"certifications": ["SecNumCloud"]}, "fr-1"),
        ({"countries": ["DE"]}, None),
        ({"certifications": ["another"]}, None),
        ({"trust_tiers": ["certified"]}, None),
        ({"data_may_not_leave": True}, None),
        ({"least_gpu_memory_gb": 81}, None),
    ],
)
def test_constraints_choose_before_the_price_does(constraints: dict[str, Any], region: str | None) -> None:
    found = answer(load(0.01), market(offers=[offer("on_demand", 2.0), EU]), **constraints)
    rented = [o.offer.region for o in found.options if o.kind == "on_demand" and o.offer]
    assert rented == ([region] if region else [])
    if region is None:
        assert found.excluded


def test_each_constraint_has_its_price() -> None:
    found = answer(load(0.01), market(offers=[offer("on_demand", 2.0), EU], servers=[]), countries=["FR"], spot_allowed=False)
    extra = {c.name: c.extra_usd for c in found.constraint_costs}
    assert {c.name: c.value for c in found.constraint_costs} == {"countries": "FR", "spot_allowed": "no"}
    assert extra == {"countries": pytest.approx(20 * 0.01 * 43_800), "spot_allowed": pytest.approx(0.0)}


def test_a_budget_limits_what_is_owned() -> None:
    hours = load(3.0)
    assert answer(hours).best is not None
    found = answer(hours, capital_budget=100_000)
    assert found.best is not None and (found.best.kind, found.best.servers_owned) == ("hybrid", 1)
    assert "above the budget" in found.excluded["own"]
    none = answer(hours, capital_budget=1_000)
    assert {o.kind for o in none.options} == {"on_demand"}


def test_nothing_allowed_is_said_and_not_made_up() -> None:
    found = answer(load(1.0), market(servers=[]), data_may_not_leave=True)
    assert found.best is None
    text = as_text(found)
    assert "Nothing that is known serves this workload" in text and "data may not leave" in text


def test_the_price_at_which_it_flips_is_where_both_cost_the_same() -> None:
    hours = load(0.2)
    found = answer(hours)
    assert found.payback is not None
    flip = found.payback.flips_below_usd_per_gpu_hour
    above = answer(hours, market(offers=[offer("on_demand", flip * 1.01)]))
    below = answer(hours, market(offers=[offer("on_demand", flip * 0.99)]))
    assert above.best is not None and above.best.servers_owned == 1
    assert below.best is not None and below.best.servers_owned == 0


def test_the_tornado_is_sorted_and_says_what_flips() -> None:
    found = answer(
        load(0.1001), market(servers=[Server("8x-g", "g", 8.0, band(87_600.0, 0.5), DAY, 0, "a quote", band(10.0, 0.1), False, True)])
    )
    swings = [abs(s.high - s.low) for s in found.tornado]
    assert swings == sorted(swings, reverse=True) and len(swings) >= 3
    assert {s.name: s.flips for s in found.tornado}["server_price, as a share"] is True


def test_euros_are_dollars_at_the_rate() -> None:
    in_euros = workload().model_copy(update={"currency": "EUR"})
    dollars, euros = as_dict(decide(workload(), load(1.0), market())), as_dict(decide(in_euros, load(1.0), market()))
    assert euros["options"][0]["cost"][5]["base"] * 1.25 == pytest.approx(dollars["options"][0]["cost"][5]["base"])
    assert euros["options"][0]["capital"] * 1.25 == pytest.approx(dollars["options"][0]["capital"])


def test_the_report_names_every_source_and_escapes_what_it_shows() -> None:
    named = workload().model_copy(update={"name": "<script>alert(1)</script>"})
    found = decide(named, load(1.0), market())
    text, page = as_text(found), as_html(found)
    for said in ("a quote", "a list", "a bench", "Not counted", "lock-in", "SELECT * FROM marts.price_history WHERE series_id ="):
        assert said in text
    assert "<script>" not in page and "&lt;script&gt;" in page and "http" not in page


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 4), min_size=1, max_size=24).filter(lambda x: max(x) > 0.01),
    st.floats(0.05, 20),
    st.floats(0.05, 20),
)
def test_the_best_is_never_dearer_than_owning_all_or_renting_all(shares: list[float], rent: float, commitment: float) -> None:
    found = answer(load(*shares), market(offers=[offer("on_demand", rent), offer("commitment", commitment)]))
    assert found.best is not None
    best = cost(found, found.best.kind)
    assert best <= min(cost(found, "own"), cost(found, "on_demand")) * (1 + 1e-9)
    for option in found.options:
        for of_years in option.cost_usd.values():
            assert of_years is None or of_years["low"] <= of_years["base"] * (1 + 1e-9) <= of_years["high"] * (1 + 2e-9)
