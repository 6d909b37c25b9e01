"""The answer for one workload: the ways to serve it side by side, how sure the choice is, and what would change it.

Pure: a workload, its hourly load and a market in, a `Decision` out. Belongs here: putting the parts together, paying back, prices at
which the answer turns. Does not belong here: costs of ways (`options`), how sure (`robustness`), words (`report`). Amounts are USD
without tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.decision import scenario as inputs
from pipelines.decision.ages import LastKnown, held_back, last_known, old_figures, why_set_aside
from pipelines.decision.constraints import site_conditions
from pipelines.decision.demand import fleet
from pipelines.decision.depth import ConstraintCost, ForwardRent, Standing, constraint_costs, few_sellers, forward_rents, standings
from pipelines.decision.market import ApiOffer, Band, Market, Measurement, Offer, Server
from pipelines.decision.options import MILLION, OwnedWay, Way, asked_for, ways_to_serve
from pipelines.decision.options.rented import BY_THE_HOUR
from pipelines.decision.options.way import capacity_per_hour
from pipelines.decision.robustness import DRAWS, Robustness, ends_of, moved_inputs, robustness
from pipelines.decision.scenario import BASE, Scenario
from pipelines.decision.words import said
from pipelines.decision.workload import Workload
from pipelines.economics import break_even_hours, npv_payback_months

MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Option:
    """One way as it is shown. `cost_usd` by years and band; None where it cannot be had for so short a time."""

    kind: str
    title: str
    cost_usd: dict[int, Band | None]
    usd_per_million_output_tokens: float
    components_usd: dict[str, float]
    measurement: Measurement | None
    offer: Offer | None
    api: ApiOffer | None
    server: Server | None
    capital_usd: float
    facts: dict[str, Any]


@dataclass(frozen=True)
class Payback:
    """Own against the cheapest way by the hour, over the horizon."""

    own_utilisation_share: float
    cash_months: float | None
    npv_months: int | None


@dataclass(frozen=True)
class Threshold:
    """The price of one way, in its own unit, at which it costs what the recommendation does; exact, all else at base."""

    kind: str
    title: str
    unit: str
    now: float
    at: float | None


@dataclass(frozen=True)
class Apart:
    """The answer to one workload of a portfolio on machines of its own; all but its name None where nothing serves it."""

    workload: str
    kind: str | None
    title: str | None
    cost_usd: float | None
    capital_usd: float | None


@dataclass(frozen=True)
class Decision:
    """Everything that is to be said. `options` are the cheapest of each kind, cheapest first over the horizon; `apart` of a portfolio the
    answers to its workloads.
    """

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
    thresholds: list[Threshold]
    robustness: Robustness
    standings: list[Standing]
    few_sellers: str | None
    constraint_costs: list[ConstraintCost]
    all_constraints_usd: float | None
    conditions: Sequence[str]
    forward_rents: list[ForwardRent]
    old_figures: list[str]
    last_known: list[LastKnown]
    apart: tuple[Apart, ...] = ()

    @property
    def best(self) -> Option | None:
        """The cheapest over the horizon, or None where nothing is allowed."""
        return self.options[0] if self.options else None

    @property
    def usd_per_unit(self) -> float:
        """USD of one unit of the workload's currency."""
        return self.market.usd_per_eur if self.workload.currency == "EUR" else 1.0

    @property
    def apart_usd(self) -> float | None:
        """What the workloads of a portfolio cost over the horizon, each in its cheapest way; None where one has none, or there are none."""
        costs = [one.cost_usd for one in self.apart if one.cost_usd is not None]
        return sum(costs) if costs and len(costs) == len(self.apart) else None

    @property
    def apart_is_over_budget(self) -> bool:
        """Whether those ways take more capital together than the workload's budget, which each of them keeps."""
        budget = self.workload.constraints.capital_budget
        return budget is not None and sum(one.capital_usd or 0.0 for one in self.apart) > budget * self.usd_per_unit


def decide(workload: Workload, load: np.ndarray, market: Market, draws: int = DRAWS) -> Decision:
    """The whole answer for an hourly load of the first year; `draws` of the Monte Carlo."""
    asked = asked_for(workload, load, market, workload.horizon_years)
    found = ways_to_serve(asked, workload.constraints)
    names = list(moved_inputs(asked, found.kept))
    best = found.cheapest[0] if found.cheapest else None
    own = next((way for way in found.cheapest if isinstance(way, OwnedWay)), None)
    costs, whole_set = constraint_costs(asked, best)
    standing = standings(asked, workload.constraints, found.considered)
    aside = last_known(asked, workload.constraints, found)
    sure = robustness(asked, found.kept, draws)
    return Decision(
        workload=workload,
        market=market,
        years=years_shown(workload),
        peak_tokens_per_hour=float(load.max()),
        mean_tokens_per_hour=float(load.mean()),
        load_duration={percent: float(np.quantile(load, 1 - percent / 100)) for percent in (1, 10, 25, 50, 75, 90)},
        servers_for_peak=_servers_for_peak(own) if own else None,
        options=[_option(way, workload, load, market, names) for way in found.cheapest],
        excluded=found.excluded | why_set_aside(aside, found),
        payback=_payback(own, found.cheapest),
        thresholds=_thresholds(found.cheapest),
        robustness=replace(sure, verdict=held_back(sure.verdict, asked, found, aside)),
        standings=standing,
        few_sellers=few_sellers(standing, best, market),
        constraint_costs=costs,
        all_constraints_usd=whole_set,
        conditions=site_conditions(workload.site, workload.constraints) if own else [],
        forward_rents=forward_rents(asked.market),
        old_figures=old_figures(asked, found.cheapest),
        last_known=aside,
    )


def years_shown(workload: Workload) -> tuple[int, ...]:
    """Years over which costs are given."""
    return tuple(sorted({1, 3, 5, workload.horizon_years}))


def _option(way: Way, workload: Workload, load: np.ndarray, market: Market, names: list[str]) -> Option:
    cost: dict[int, Band | None] = {}
    for years in years_shown(workload):
        same = way if years == workload.horizon_years else _over(way, workload, load, market, years)
        cost[years] = None if same is None else ends_of(same, names)
    tokens = sum(year.tokens for year in way.asked.demand)
    facts = dict(way.facts)
    return Option(
        way.kind,
        way.title,
        cost,
        way.base_usd / (tokens / MILLION),
        way.parts(BASE),
        way.measurement,
        way.offer,
        way.api,
        way.server,
        facts.pop("capital_usd", 0.0),
        facts,
    )


def _over(way: Way, workload: Workload, load: np.ndarray, market: Market, years: int) -> Way | None:
    """The same server, offer and seller planned for other years: each horizon has a fleet of its own."""
    peaks = getattr(way, "peaks", None)
    ways = [w for w in (way, peaks) if w is not None]
    offers = [w.offer for w in ways if w.offer is not None]
    only = replace(
        market,
        measurements=[w.measurement for w in ways if w.measurement is not None],
        offers=[o for o in market.offers if any(o.series_id == x.series_id for x in offers)],
        servers=[way.server] if way.server else [],
        api_offers=[way.api] if way.api else [],
    )
    found = ways_to_serve(asked_for(workload, load, only, years), workload.constraints).cheapest
    kinds = ("hybrid", "own", *BY_THE_HOUR) if way.kind == "hybrid" else (way.kind,)
    return min((w for w in found if w.kind in kinds), key=lambda w: w.base_usd, default=None)


def _servers_for_peak(own: OwnedWay) -> int:
    assert own.measurement is not None and own.server is not None
    capacity = capacity_per_hour(own.measurement, own.server.gpu_count, own.asked)
    return max(fleet(year, capacity) for year in own.asked.demand) * own.server.nodes


def _payback(own: OwnedWay | None, cheapest: list[Way]) -> Payback | None:
    """All that is bought against renting it all: what renting costs a month, what owning costs a month in cash."""
    rent = next((way for way in cheapest if way.kind in BY_THE_HOUR), None)
    if own is None or rent is None:
        return None
    months = own.asked.years * MONTHS_PER_YEAR
    parts = own.parts(BASE)
    operate = max(0.0, (sum(parts.values()) - parts["capital"]) / months)
    hours = break_even_hours(own.capital_usd, rent.base_usd / months, operate)
    server = own.described(BASE, own.asked.years)
    assert own.measurement is not None and own.server is not None
    capacity = capacity_per_hour(own.measurement, own.server.gpu_count, own.asked)
    tokens = sum(year.tokens for year in own.asked.demand) * own.owned_share
    return Payback(
        own_utilisation_share=tokens / (sum(own.there) * capacity * 8760),
        cash_months=hours,
        npv_months=npv_payback_months(
            own.capital_usd, rent.base_usd / months, operate, float(server.discount_rate), months, float(server.residual_share)
        ),
    )


_PRICE_OF = {"own": inputs.SERVER_PRICE, "api": inputs.TOKEN_PRICE, **dict.fromkeys(BY_THE_HOUR, inputs.RENTED_PRICE)}


def _thresholds(cheapest: list[Way]) -> list[Threshold]:
    """Costs are linear in a price, so that two figures of each give where they meet."""
    if len(cheapest) < 2:
        return []
    best, found = cheapest[0], []
    for way in cheapest:
        name = _PRICE_OF.get(way.kind)
        if name is None:
            continue
        rival = cheapest[1] if way is best else best
        now, unit = _price(way)
        slope = way.cost(Scenario(factors={name: 2.0})) - way.base_usd
        # The rival keeps its prices: what is asked is what this seller, or this maker, would have to ask for.
        factor = 1 + (rival.base_usd - way.base_usd) / slope if slope > 0 else None
        found.append(Threshold(way.kind, way.title, unit, now, None if factor is None or factor <= 0 else now * factor))
    return found


def _price(way: Way) -> tuple[float, str]:
    if way.server is not None:
        return way.server.usd["base"] / way.server.nodes, said("a server")
    if way.offer is not None:
        return way.offer.usd_per_gpu_hour["base"], said("a GPU-hour")
    unit_usd: float = way.unit_usd  # type: ignore[attr-defined]
    return unit_usd, said("a million tokens in the workload's mix")
