"""Every way to serve a workload, with what it costs, and why some are not there.

Pure. Belongs here: all candidates of a market under constraints, and the cheapest of each kind. Does not belong here: how sure a choice
is (`robustness`), what it is compared with (`plan`). All amounts are USD without tax.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from pipelines.decision.constraints import api_refusal, refusal, site_refusal
from pipelines.decision.demand import demand_of
from pipelines.decision.market import Market
from pipelines.decision.options.committed import FOR_A_TERM, committed, term_kind, why_none
from pipelines.decision.options.owned import OwnedWay, owned
from pipelines.decision.options.rented import BY_THE_HOUR, RentedWay, holds, machine_of, place_of, rented
from pipelines.decision.options.tokens import TokensWay, sold
from pipelines.decision.options.way import MILLION, Asked, Way
from pipelines.decision.scenario import BASE
from pipelines.decision.words import Figure, said
from pipelines.decision.workload import Constraints, Workload

__all__ = ["MILLION", "Asked", "OwnedWay", "RentedWay", "TokensWay", "Way", "Ways", "asked_for", "budget_usd", "ways_to_serve"]

# How many of the cheapest ways of a kind are looked at again when inputs move, and rented beside what is owned.
KEPT = 3
# A system of which the greatest hour needs more than this is no way to serve it: all the world's GPUs are some tens of millions.
MOST_SYSTEMS = 200_000
# What is sold and makes no plan over years, with why.
NOT_PLANNED = {
    "reserved": "{count} offers state no term for which they bind; the cheapest: {price} USD per GPU-hour for {machine} at {place}",
    "capacity_block": "sold ahead for days to some months, for work that ends; the cheapest of {count}: {price} USD per GPU-hour for "
    "{machine} at {place}",
}


@dataclass(frozen=True)
class Ways:
    """`cheapest` of each kind, cheapest first; `kept`: the few cheapest of each; why others are not there; all that were considered."""

    cheapest: list[Way]
    kept: list[Way]
    excluded: dict[str, str]
    considered: list[Way]


def asked_for(workload: Workload, load: np.ndarray, market: Market, years: int) -> Asked:
    """A workload on a market over some years; of its measurements those with enough memory."""
    least = workload.constraints.least_gpu_memory_gb
    if least is not None:
        enough = [m for m in market.measurements if market.gpu_memory_gb.get(m.gpu, 0.0) >= least]
        market = replace(market, measurements=enough)
    demand = demand_of(workload, load, years)
    peak = max(year.peak for year in demand)
    fast = [m for m in market.measurements if m.rate_per_gpu * m.gpu_count * 3600 * MOST_SYSTEMS >= peak]
    return Asked(workload, demand, replace(market, measurements=fast))


def budget_usd(workload: Workload, market: Market, constraints: Constraints) -> float:
    """The budget for capital in USD; infinite without one."""
    if constraints.capital_budget is None:
        return math.inf
    return constraints.capital_budget * (market.usd_per_eur if workload.currency == "EUR" else 1.0)


def ways_to_serve(asked: Asked, constraints: Constraints) -> Ways:
    """All of it, for one set of constraints."""
    excluded: dict[str, str] = {}
    if not asked.market.measurements:
        least = constraints.least_gpu_memory_gb
        excluded["all"] = said("no measured device has {least} GB", least=f"{least:g}") if least else said("no measured device has a rate")
    by_the_hour = _sorted(rented(asked, constraints))
    # Beside owned servers the cheapest by the whole and the cheapest by the token: small machines for small peaks, large for large.
    beside = list({id(w): w for w in (*by_the_hour[:1], *sorted(by_the_hour, key=_per_token)[:1])}.values())
    found: list[Way] = [*by_the_hour, *committed(asked, constraints, beside[-1] if beside else None), *sold(asked, constraints)]
    refused = site_refusal(asked.workload.site, constraints)
    if refused is None:
        own, above = owned(asked, beside, budget_usd(asked.workload, asked.market, constraints))
        found += own
        excluded["own"] = above or said("no server of a measured device has a list price of the last 365 days and a power figure")
        excluded["hybrid"] = said("no split is cheaper than all of one") if beside else said("there is nothing to rent for the peaks")
    else:
        excluded["own"] = excluded["hybrid"] = refused
    excluded |= _why_not(asked, constraints)
    kinds: dict[str, list[Way]] = {}
    for way in _sorted(found):
        kinds.setdefault(way.kind, []).append(way)
    return Ways(
        cheapest=[ways[0] for ways in kinds.values()],
        kept=[way for ways in kinds.values() for way in ways[:KEPT]],
        excluded={kind: why for kind, why in excluded.items() if kind not in kinds},
        considered=found,
    )


W = TypeVar("W", bound=Way)


def _sorted(ways: list[W]) -> list[W]:
    return sorted(ways, key=lambda way: (way.base_usd, way.title))


def _per_token(way: RentedWay) -> tuple[float, str]:
    return way.hour_usd(BASE, 0) / way.capacity(), way.title


def _why_not(asked: Asked, constraints: Constraints) -> dict[str, str]:
    """Why each kind of renting and buying may be missing; the nearest offer's own reason where there is one."""
    market, found = asked.market, dict[str, str]()
    for kind in BY_THE_HOUR:
        of_kind = [o for o in market.offers if o.option == kind and holds(o.gpu, market.measurements)]
        refused = sorted(
            (o.usd_per_gpu_hour["base"], o.series_id, why) for o in of_kind if (why := refusal(o, constraints, market)) is not None
        )
        none = said("no offer of a measured device in a size that holds the model is known here")
        found[kind] = refused[0][2] if refused else none
    for months, kind in sorted(
        {(o.commitment_months, term_kind(o)) for o in market.offers if o.option in FOR_A_TERM and o.commitment_months}
    ):
        refused_as = why_none(asked, constraints, kind)
        too_long = months > asked.years * 12
        found[kind] = refused_as or (
            said("its term is longer than the horizon") if too_long else said("renting by the hour is cheaper, or no rate is known")
        )
    for kind, reason in NOT_PLANNED.items():
        known = [o for o in market.offers if o.option == kind and holds(o.gpu, market.measurements)]
        allowed = [o for o in known if refusal(o, constraints, market) is None]
        if allowed:
            cheapest = min(allowed, key=lambda o: (o.usd_per_gpu_hour["base"], o.series_id))
            price, place = Figure(f"{cheapest.usd_per_gpu_hour['base']:.2f}"), place_of(cheapest)
            found[kind] = said(reason, count=str(len(allowed)), price=price, machine=machine_of(cheapest), place=place)
        elif known:
            found[kind] = refusal(min(known, key=lambda o: o.series_id), constraints, market) or ""
    sellers = [why for api in market.api_offers if (why := api_refusal(api, constraints, market)) is not None]
    found["api"] = sellers[0] if sellers else said("no seller by the token of {model} is known here", model=asked.workload.model)
    return found
