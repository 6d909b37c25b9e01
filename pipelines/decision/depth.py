"""How much market stands behind an answer: who was considered, who was refused and why, and what constraints cost.

Pure. Belongs here: counting offers and sellers, quartiles over sellers, the price of constraints. Does not belong here: choosing. What is
counted is what the warehouse knows; it is never a statement about the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.decision.constraints import api_refusal, refusal
from pipelines.decision.market import Market
from pipelines.decision.options import Asked, Way, ways_to_serve
from pipelines.decision.options.rented import holds
from pipelines.decision.words import said
from pipelines.decision.workload import Constraints
from pipelines.economics import implied_forward_usd, implied_yearly_factor

# Fewer sellers than this are no market; it is said in the first line.
FEW_SELLERS = 3


@dataclass(frozen=True)
class Refused:
    """Offers that one constraint refuses, and the cheapest of them."""

    reason: str
    offers: int
    sellers: int
    nearest: str


@dataclass(frozen=True)
class Standing:
    """What stands behind one kind of way: sellers that were considered, quartiles of their cost over the horizon, who was refused."""

    kind: str
    sellers: int
    offers: int
    quartiles_usd: dict[str, float] | None
    refused: list[Refused]
    too_small: int
    unmeasured: int


@dataclass(frozen=True)
class ConstraintCost:
    """What constraints cost over the horizon: `alone` against none, `dropped` against all but this; None where nothing is possible."""

    name: str
    value: str
    alone_usd: float | None
    dropped_usd: float | None


def standings(asked: Asked, constraints: Constraints, considered: Sequence[Way]) -> list[Standing]:
    """One for each kind of renting and buying that the warehouse knows anything of."""
    market = asked.market
    kinds: dict[str, list[tuple[str, float, str, str | None, str]]] = {}
    for o in market.offers:
        kind = o.option if o.option != "commitment" else f"commitment_{o.commitment_months}_months"
        state = "known" if holds(o.gpu, market.measurements) else "unmeasured"
        name = f"{o.provider} {o.region} {o.gpu_count:g}x {o.gpu}"
        kinds.setdefault(kind, []).append((o.provider, o.usd_per_gpu_hour["base"], name, refusal(o, constraints, market), state))
    for a in market.api_offers:
        why = api_refusal(a, constraints, market)
        kinds.setdefault("api", []).append((a.provider, a.output_usd + a.input_usd, a.provider, why, "known"))
    found = []
    for kind, rows in sorted(kinds.items()):
        ways = [way for way in considered if way.kind == kind]
        best: dict[str, float] = {}
        for way in ways:
            if way.seller is not None:
                best[way.seller] = min(way.base_usd, best.get(way.seller, np.inf))
        known = [row for row in rows if row[4] == "known"]
        allowed = [row for row in known if row[3] is None]
        used = {(way.offer.series_id if way.offer else way.title) for way in ways}
        found.append(
            Standing(
                kind,
                len(best),
                len(used),
                _quartiles(list(best.values())),
                _refused(known),
                max(0, len(allowed) - len(used)) if kind != "api" else 0,
                len(rows) - len(known),
            )
        )
    return found


def _refused(rows: list[tuple[str, float, str, str | None, str]]) -> list[Refused]:
    reasons: dict[str, list[tuple[float, str, str]]] = {}
    for seller, price, name, why, _ in rows:
        if why is not None:
            reasons.setdefault(why, []).append((price, name, seller))
    return [Refused(why, len(offers), len({seller for _, _, seller in offers}), min(offers)[1]) for why, offers in sorted(reasons.items())]


def _quartiles(costs: list[float]) -> dict[str, float] | None:
    if not costs:
        return None
    names = (("least", 0.0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("most", 1.0))
    return {name: float(np.quantile(costs, share)) for name, share in names}


def few_sellers(found: Sequence[Standing], way: Way | None, market: Market) -> str | None:
    """A sentence where fewer than three sellers stand behind a way that is bought from a seller."""
    if way is None or way.seller is None or (way.offer and way.offer.is_yours) or (way.api and way.api.is_yours):
        return None
    standing = next((s for s in found if s.kind == way.kind), None)
    if standing is None or standing.sellers >= FEW_SELLERS:
        return None
    if standing.sellers == 1:
        return said("only one seller of this kind stands behind it in this warehouse on {day}", day=market.as_of)
    return said("only {count} sellers of this kind stand behind it in this warehouse on {day}", count=standing.sellers, day=market.as_of)


def constraint_costs(asked: Asked, best: Way | None) -> tuple[list[ConstraintCost], float | None]:
    """What each constraint costs alone and when dropped, and what the whole set costs against none."""
    given = asked.workload.constraints.given()
    if not given:
        return [], None
    stated = asked.workload.constraints
    none = Constraints(trust_tiers=stated.trust_tiers) if stated.admits_more_tiers else Constraints()
    free = _cheapest(asked, none)
    found = []
    for name in given:
        only = none.model_copy(update={name: getattr(stated, name)})
        alone, without = _cheapest(asked, only), _cheapest(asked, stated.without(name))
        found.append(
            ConstraintCost(
                name,
                _in_words(getattr(stated, name)),
                None if alone is None or free is None else alone - free,
                None if best is None or without is None else best.base_usd - without,
            )
        )
    return found, None if best is None or free is None else best.base_usd - free


@dataclass(frozen=True)
class ForwardRent:
    """What a seller's terms of one and of three years say of the rents of the second and third year, USD per GPU-hour."""

    seller: str
    one_year_usd: float
    three_years_usd: float
    later_years_usd: float
    yearly_factor: float


def forward_rents(market: Market) -> list[ForwardRent]:
    """Of each machine that a seller commits for one and for three years: prices of later years that its own terms imply."""
    terms: dict[tuple[str, str, str, float], dict[int, float]] = {}
    for o in market.offers:
        if o.option == "commitment" and o.commitment_months in (12, 36) and holds(o.gpu, market.measurements):
            of_machine = terms.setdefault((o.provider, o.region, o.gpu, o.gpu_count), {})
            price = o.usd_per_gpu_hour["base"]
            of_machine[o.commitment_months] = min(price, of_machine.get(o.commitment_months, price))
    return [
        ForwardRent(
            f"{provider} {region} {gpus:g}x {gpu}",
            price[12],
            price[36],
            implied_forward_usd(price[12], 1, price[36], 3),
            implied_yearly_factor(price[12], price[36], 3),
        )
        for (provider, region, gpu, gpus), price in sorted(terms.items())
        if len(price) == len((12, 36)) and price[36] * 3 > price[12]
    ]


def _cheapest(asked: Asked, constraints: Constraints) -> float | None:
    found = ways_to_serve(asked, constraints).cheapest
    return found[0].base_usd if found else None


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return said("yes") if value else said("no")
    return said("{value}", value=value) if isinstance(value, float) else str(value)
