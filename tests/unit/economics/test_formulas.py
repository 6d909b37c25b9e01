"""Formulas on floats and on expressions: equal figures, clear errors, and what must hold for any input."""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import economics as e
from pipelines.costing.fx import eur_per_usd_by_day
from pipelines.economics.guards import quotient

price = st.floats(0.01, 1000)
share = st.floats(0.01, 1)


def server(usd: float = 250_000.0) -> e.OnPremServer:
    return e.OnPremServer(usd, 0.12, 0.0, 0.2, 0.08, 5.0, 0.12, 3.0, 10.2, 1.54, 0.12, 1877.0, 37_500.0, 0.0)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: e.usd_per_million_tokens(1.0, 0.0), "tokens_per_second"),
        (lambda: e.usd_per_million_tokens(-1.0, 1.0), "usd_per_hour"),
        (lambda: e.usd_per_million_tokens(1.0, 1.0, 1.5), "utilisation_share"),
        (lambda: e.capital_recovery_factor(0.08, 0), "years"),
        (lambda: e.residual_share(math.nan), "age_years"),
        (lambda: e.effective_cloud_usd_per_hour(1.0, "lease"), "purchase_option"),
        (lambda: e.spot_waste_share(0.0, 1.0), "mean_time_between_interruptions_s"),
        (lambda: e.hybrid_plan([1.0, -1.0], 1.0, 1.0, 0.0, 1.0), "hour 1"),
        (lambda: e.hybrid_plan([], 1.0, 1.0, 0.0, 1.0), "at least one hour"),
        (lambda: e.npv_payback_months(1.0, 1.0, 0.0, 0.08, 0), "life_months"),
        (lambda: e.on_prem_usd_per_hour(server(-1.0), 0.5), "server_usd"),
    ],
)
def test_bad_input_is_named(call: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()  # type: ignore[operator]


def test_residual_values() -> None:
    assert [round(e.residual_share(t), 2) for t in range(1, 6)] == [0.72, 0.52, 0.38, 0.28, 0.20]


def test_no_break_even_is_none() -> None:
    assert e.break_even_utilisation(10.0, 1.0, 5.0) is None
    assert e.break_even_hours(100.0, 1.0, 1.0) is None
    assert e.npv_payback_months(1e6, 10.0, 1.0, 0.08) is None


@given(price, st.floats(1, 1e5), share)
def test_expressions_equal_floats(usd: float, rate: float, use: float) -> None:
    row = pl.DataFrame({"usd": [usd], "rate": [rate], "use": [use]})
    found = row.select(
        a=e.usd_per_million_tokens(pl.col("usd"), pl.col("rate"), pl.col("use")),
        b=e.on_prem_usd_per_hour(server(), pl.col("use")),
        c=e.effective_cloud_usd_per_hour(pl.col("usd"), "commitment", utilisation_share=pl.col("use")),
        d=e.npv_payback_months(pl.col("usd") * 100, pl.col("usd") * 5, pl.col("usd"), 0.08),
        e=e.break_even_utilisation(pl.col("use"), 0.0, pl.col("usd")),
        f=e.residual_share(pl.col("use")),
    ).row(0)
    expected = (
        e.usd_per_million_tokens(usd, rate, use),
        e.on_prem_usd_per_hour(server(), use),
        e.effective_cloud_usd_per_hour(usd, "commitment", utilisation_share=use),
        e.npv_payback_months(usd * 100, usd * 5, usd, 0.08),
        e.break_even_utilisation(use, 0.0, usd),
        e.residual_share(use),
    )
    for one, other in zip(found, expected, strict=True):
        assert one == other or one == pytest.approx(other, rel=1e-12)


def test_a_quotient_does_not_depend_on_how_rows_fall_into_chunks() -> None:
    # Runs of equal divisors, so that most of the small chunks hold one value only.
    rows = pl.DataFrame({"a": [i * 0.37 + 0.1 for i in range(600)], "b": [1.1 + (i // 50) * 0.7 for i in range(600)]})
    whole = rows.select(quotient(pl.col("a"), pl.col("b"))).to_series()
    in_pieces = pl.concat(rows[i : i + 10].lazy().select(quotient(pl.col("a"), pl.col("b"))).collect() for i in range(0, 600, 10))
    assert whole.equals(in_pieces.to_series())
    constant = pl.concat(
        group.lazy().with_columns(b=pl.lit(float(b))).select(quotient(pl.col("a"), pl.col("b"))).collect()
        for (b,), group in rows.group_by("b", maintain_order=True)
    )
    assert whole.equals(constant.to_series())
    assert quotient(1.0, 3.0) == 1 / 3


def test_bad_rows_of_expressions_are_null() -> None:
    rows = pl.DataFrame({"rate": [0.0, -1.0, math.nan, math.inf, None, 5.0]})
    found = rows.select(e.usd_per_million_tokens(1.0, pl.col("rate"))).to_series().to_list()
    assert found[:5] == [None] * 5 and found[5] is not None


@given(share, share)
def test_more_use_never_raises_the_owned_cost_per_token(one: float, other: float) -> None:
    low, high = sorted((one, other))
    cost = [e.usd_per_million_tokens(e.on_prem_usd_per_hour(server(), u), 1000.0, u) for u in (low, high)]
    assert cost[1] <= cost[0] * (1 + 1e-12)


@given(price, price)
def test_a_dearer_comparator_never_lengthens_payback(one: float, other: float) -> None:
    low, high = sorted((one, other))
    hours = [e.break_even_hours(1000.0, rent, 0.005) for rent in (low, high)]
    assert hours[1] <= hours[0]


def brute_force(load: list[float], capacity: float, fixed: float, variable: float, rented: float) -> float:
    peak = math.ceil(max(load) / capacity)
    return min(
        sum(n * fixed + variable * min(x, n * capacity) / capacity + rented * max(0.0, x - n * capacity) / capacity for x in load)
        for n in range(peak + 1)
    )


@given(
    st.lists(st.floats(0, 20).map(lambda x: round(x, 6)), min_size=1, max_size=24),
    st.floats(0.5, 5),
    st.floats(0, 5),
    st.floats(0, 2),
    st.floats(0, 10),
)
def test_hybrid_plan_is_the_best_of_all(load: list[float], capacity: float, fixed: float, variable: float, rented: float) -> None:
    plan = e.hybrid_plan(load, capacity, fixed, variable, rented)
    assert plan.usd_total == pytest.approx(brute_force(load, capacity, fixed, variable, rented), rel=1e-9, abs=1e-9)
    assert plan.usd_total <= min(plan.own_only_usd_total, plan.rent_only_usd_total) + 1e-9
    assert plan.owned_share + plan.rented_share == pytest.approx(1.0 if sum(load) > 0 else 0.0)


@given(st.lists(st.floats(0, 6), min_size=2, max_size=48), st.floats(0.05, 5), st.floats(0.5, 10))
def test_the_split_is_that_of_the_screening_curves(load: list[float], fixed: float, rented: float) -> None:
    # The k-th server is owned where its hours of use cost more rented than the server does owned, and no further one is.
    plan = e.hybrid_plan(load, 1.0, fixed, 0.0, rented)
    uses = [sum(min(1.0, max(0.0, x - k)) for x in load) for k in range(math.ceil(max(load)))]
    saving = [rented * use - fixed * len(load) for use in uses]
    assert all(s >= -1e-9 for s in saving[: plan.servers])
    assert all(s <= 1e-9 for s in saving[plan.servers :])


@given(st.floats(0.01, 1e6), st.floats(0.5, 2.0))
def test_to_euros_and_back(usd: float, units_per_eur: float) -> None:
    fx = pl.LazyFrame({"on_date": [dt.date(2026, 1, 2)], "currency": ["USD"], "units_per_eur": [units_per_eur]})
    found = eur_per_usd_by_day(fx, dt.date(2026, 1, 4)).sort("on_date").collect()
    assert found["on_date"].to_list() == [dt.date(2026, 1, day) for day in (2, 3, 4)]
    for rate in found["eur_per_usd"].to_list():
        assert usd * rate * units_per_eur == pytest.approx(usd, rel=1e-12)


@given(st.floats(0.1, 1000))
def test_scaling_load_and_capacity_together_changes_no_cost(factor: float) -> None:
    load = [1.0, 5.0, 2.5, 0.0, 7.0]
    one = e.hybrid_plan(load, 2.0, 1.0, 0.1, 3.0)
    other = e.hybrid_plan([x * factor for x in load], 2.0 * factor, 1.0, 0.1, 3.0)
    assert one.usd_total == pytest.approx(other.usd_total)


def test_npv_is_the_first_month_of_a_plain_sum() -> None:
    capex, rent, operate, rate, life, residual = 100_000.0, 5000.0, 1000.0, 0.08, 60, 0.2
    factor = (1 + rate) ** (-1 / 12)
    to_cover, saved = capex * (1 - residual * factor**life), 0.0
    for month in range(1, life + 1):
        saved += (rent - operate) * factor**month
        if saved >= to_cover:
            break
    assert e.npv_payback_months(capex, rent, operate, rate, life, residual) == month


@given(st.floats(1, 1e6), st.floats(0, 1), st.integers(1, 10), st.integers(1, 10))
def test_what_is_written_off_comes_to_what_is_lost_and_sooner_is_worth_more(capex: float, left: float, years: int, over: int) -> None:
    assert e.annual_write_off(capex, left, 0.0, years, over) * years == pytest.approx(capex * (1 - left), abs=1e-6 * capex)
    assert e.annual_write_off(capex, left, 0.08, years, over) >= e.annual_write_off(capex, left, 0.08, years, over + 1) - 1e-9 * capex
    # Written off over the years of use and worth nothing: an even sum.
    assert e.annual_write_off(capex, 0.0, 0.08, years, years) == pytest.approx(capex / years)
