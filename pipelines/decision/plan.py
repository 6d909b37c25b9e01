"""The answer for one workload: the ways to serve it side by side, and what would change the choice.

Pure: a workload, its hourly load and a market in, a `Decision` out. Belongs here: comparing. Does not belong here: the ways and their
costs (`options`), words and tables (`report`). All amounts are USD without tax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from pipelines.costing.assumptions import SERVER_INPUTS
from pipelines.decision.load_file import HOURS_PER_YEAR
from pipelines.decision.market import Assumption, Band, Market, Offer
from pipelines.decision.options import (
    MILLION,
    Option,
    base_cost_over,
    load_of,
    owned_server,
    refusal,
    server_capacity,
    servers_for_peak,
    ways_to_serve,
    years_shown,
)
from pipelines.decision.workload import Workload
from pipelines.economics import (
    break_even_hours,
    break_even_utilisation,
    effective_cloud_usd_per_hour,
    npv_payback_months,
    on_prem_usd_per_hour,
    operating_usd_per_hour,
)

HOURS_PER_MONTH = HOURS_PER_YEAR / 12
# How far load and rented prices are moved to see what the answer hangs on; ours, and said so.
LOAD_FACTORS = {"low": 0.5, "high": 1.5}
RENT_FACTORS = {"low": 0.7, "high": 1.3}


@dataclass(frozen=True)
class Payback:
    """Own against rent at the plan's own use."""

    own_utilisation_share: float
    break_even_utilisation_share: float | None
    cash_months: float | None
    npv_months: int | None
    rented_usd_per_gpu_hour: float
    flips_below_usd_per_gpu_hour: float


@dataclass(frozen=True)
class Swing:
    """What owning saves over the horizon against the best way without owning, with one input at its ends."""

    name: str
    at_low: float
    at_high: float
    low: float
    high: float
    is_assumed: bool

    @property
    def flips(self) -> bool:
        """Whether the answer changes between the ends."""
        return (self.low > 0) != (self.high > 0)


@dataclass(frozen=True)
class ConstraintCost:
    """What the best way costs more over the horizon because of one constraint; None where nothing is possible with it."""

    name: str
    value: str
    extra_usd: float | None


@dataclass(frozen=True)
class Decision:
    """Everything that is to be said. `options` are the cheapest of each kind, cheapest first over the horizon."""

    workload: Workload
    market: Market
    years: tuple[int, ...]
    peak_tokens_per_hour: float
    mean_tokens_per_hour: float
    load_duration: dict[int, float]
    servers_for_peak: int | None
    options: list[Option]
    excluded: dict[str, str]
    payback: Payback | None
    comparators: dict[str, tuple[Offer, float | None, float | None]]
    tornado: list[Swing]
    constraint_costs: list[ConstraintCost]

    @property
    def best(self) -> Option | None:
        """The cheapest over the horizon, or None where nothing is allowed."""
        return self.options[0] if self.options else None


def decide(workload: Workload, load: np.ndarray, market: Market) -> Decision:
    """The whole answer for an hourly load of the first year."""
    options, excluded = ways_to_serve(workload, load, market, workload.constraints)
    own = next((o for o in options if o.kind in ("own", "hybrid")), None)
    rent = next((o for o in options if o.kind in ("on_demand", "spot")), None)
    best = options[0] if options else None
    duration = {percent: float(np.quantile(load, 1 - percent / 100)) for percent in (1, 10, 25, 50, 75, 90)}
    server = own.server if own else None
    return Decision(
        workload=workload,
        market=market,
        years=years_shown(workload),
        peak_tokens_per_hour=float(load.max()),
        mean_tokens_per_hour=float(load.mean()),
        load_duration=duration,
        servers_for_peak=_servers_for_peak(own, workload, load) if own else None,
        options=options,
        excluded=excluded,
        payback=_payback(own, rent, workload, load, market) if own and rent and server else None,
        comparators=_comparators(own, workload, market) if own and server else {},
        tornado=_tornado(workload, load, market) if own else [],
        constraint_costs=_constraint_costs(workload, load, market, best),
    )


def _servers_for_peak(own: Option, workload: Workload, load: np.ndarray) -> int:
    assert own.measurement is not None and own.server is not None
    whole = load_of(load, workload.load.growth_per_year, workload.horizon_years)
    return servers_for_peak(whole, server_capacity(own.measurement, own.server))


def _payback(own: Option, rent: Option, workload: Workload, load: np.ndarray, market: Market) -> Payback:
    assert own.measurement is not None and own.server is not None and rent.offer is not None
    whole = load_of(load, workload.load.growth_per_year, workload.horizon_years)
    capacity = server_capacity(own.measurement, own.server)
    server = owned_server(own.server, market, "base", workload.horizon_years)
    fixed = on_prem_usd_per_hour(server, 0.0)
    variable = on_prem_usd_per_hour(server, 1.0) - fixed
    rented = rent.usd_per_million_output_tokens * capacity / MILLION
    use = float(np.minimum(whole, own.servers_owned * capacity).mean() / (own.servers_owned * capacity))
    first = float(np.minimum(whole, capacity).mean() / capacity)
    avoided, operate = rented * use, operating_usd_per_hour(server, use)
    hours = break_even_hours(server.capex_usd, avoided, operate)
    # The first server is worth owning where it costs less than renting what it would serve.
    per_gpu = rent.offer.usd_per_gpu_hour["base"]
    return Payback(
        own_utilisation_share=use,
        break_even_utilisation_share=break_even_utilisation(fixed, variable, rented),
        cash_months=None if hours is None else hours / HOURS_PER_MONTH,
        npv_months=npv_payback_months(
            server.capex_usd,
            avoided * HOURS_PER_MONTH,
            operate * HOURS_PER_MONTH,
            server.discount_rate,
            workload.horizon_years * 12,
            server.residual_share,
        ),
        rented_usd_per_gpu_hour=per_gpu,
        flips_below_usd_per_gpu_hour=per_gpu * (fixed / first + variable) / rented,
    )


def _comparators(own: Option, workload: Workload, market: Market) -> dict[str, tuple[Offer, float | None, float | None]]:
    """Cheapest, median and dearest allowed machine of the owned server's own shape: break-even use and cash payback at full use."""
    assert own.server is not None
    same = sorted(
        (
            o
            for o in market.offers
            if o.option == "on_demand"
            and o.gpu == own.server.gpu
            and o.gpu_count == own.server.gpu_count
            and refusal(o, workload.constraints, market) is None
        ),
        key=lambda o: (o.usd_per_gpu_hour["base"], o.series_id),
    )
    if not same:
        return {}
    server = owned_server(own.server, market, "base", workload.horizon_years)
    fixed = on_prem_usd_per_hour(server, 0.0)
    variable = on_prem_usd_per_hour(server, 1.0) - fixed
    packing = market.assumptions["packing_share", None].band["base"]
    found = {}
    for name, offer in {"cheapest": same[0], "median": same[(len(same) - 1) // 2], "dearest": same[-1]}.items():
        hour = effective_cloud_usd_per_hour(offer.usd_per_gpu_hour["base"] * offer.gpu_count, "on_demand", packing_share=packing)
        hours = break_even_hours(server.capex_usd, hour, operating_usd_per_hour(server, 1.0))
        found[name] = (offer, break_even_utilisation(fixed, variable, hour), None if hours is None else hours / HOURS_PER_MONTH)
    return found


def _saving(workload: Workload, load: np.ndarray, market: Market) -> float | None:
    """What the best way with owning saves against the best without, over the horizon; negative where owning costs more."""
    options, _ = ways_to_serve(workload, load, market, workload.constraints)
    key = base_cost_over(workload)
    own = [key(o) for o in options if o.servers_owned]
    other = [key(o) for o in options if not o.servers_owned]
    return min(other) - min(own) if own and other else None


def _tornado(workload: Workload, load: np.ndarray, market: Market) -> list[Swing]:
    swings = []
    for name, ends, is_assumed, moved in _moves(load, market):
        low, high = (_saving(workload, moved_load, moved_market) for moved_load, moved_market in (moved("low"), moved("high")))
        if low is not None and high is not None:
            swings.append(Swing(name, *ends, low, high, is_assumed))
    return sorted(swings, key=lambda s: -abs(s.high - s.low))


Moved = Callable[[str], tuple[np.ndarray, Market]]


def _moves(load: np.ndarray, market: Market) -> Iterable[tuple[str, tuple[float, float], bool, Moved]]:
    """Each input with its ends, whether these are our assumption, and load and market with it at one of them."""
    for (name, scope), assumption in market.assumptions.items():
        if scope is None and name in (*SERVER_INPUTS, "packing_share") and assumption.band["low"] != assumption.band["high"]:

            def assumed(end: str, key: tuple[str, str | None] = (name, scope), given: Assumption = assumption) -> tuple[np.ndarray, Market]:
                return load, replace(market, assumptions={**market.assumptions, key: replace(given, band=_with_base(given.band, end))})

            yield name, (assumption.band["low"], assumption.band["high"]), assumption.is_assumed, assumed

    def electricity(end: str) -> tuple[np.ndarray, Market]:
        return load, replace(market, electricity=replace(market.electricity, band=_with_base(market.electricity.band, end)))

    def servers(end: str) -> tuple[np.ndarray, Market]:
        return load, replace(market, servers=[replace(s, usd=_with_base(s.usd, end)) for s in market.servers])

    def powers(end: str) -> tuple[np.ndarray, Market]:
        return load, replace(market, servers=[replace(s, load_kw=_with_base(s.load_kw, end)) for s in market.servers])

    def rents(end: str) -> tuple[np.ndarray, Market]:
        factor = RENT_FACTORS[end]
        dearer = [replace(o, usd_per_gpu_hour={b: p * factor for b, p in o.usd_per_gpu_hour.items()}) for o in market.offers]
        return load, replace(market, offers=dearer)

    band = market.electricity.band
    if band["low"] != band["high"]:
        yield "electricity_usd_per_kwh", (band["low"], band["high"]), market.electricity.is_assumed, electricity
    yield "server_price, as a share", _ends([s.usd for s in market.servers]), any(s.is_band_assumed for s in market.servers), servers
    yield "power of a server, as a share", _ends([s.load_kw for s in market.servers]), False, powers
    yield "rented_prices, as a share", (RENT_FACTORS["low"], RENT_FACTORS["high"]), True, rents
    yield "load, as a share", (LOAD_FACTORS["low"], LOAD_FACTORS["high"]), True, lambda end: (load * LOAD_FACTORS[end], market)


def _with_base(band: Band, end: str) -> Band:
    return {**band, "base": band[end]}


def _ends(bands: list[Band]) -> tuple[float, float]:
    """Lowest and highest share of the base price."""
    return min(b["low"] / b["base"] for b in bands), max(b["high"] / b["base"] for b in bands)


def _constraint_costs(workload: Workload, load: np.ndarray, market: Market, best: Option | None) -> list[ConstraintCost]:
    key = base_cost_over(workload)
    costs = []
    for name in workload.constraints.given():
        without = ways_to_serve(workload, load, market, workload.constraints.without(name))[0]
        extra = key(best) - key(without[0]) if best is not None and without else None
        costs.append(ConstraintCost(name, _in_words(getattr(workload.constraints, name)), extra))
    return costs


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.0f}" if isinstance(value, float) else str(value)
