"""What is too old: which figures an answer rests on beyond the limit of their kind, and what was not compared for its age alone.

Pure. Belongs here: the limits of age, and what follows from them. Does not belong here: how sure an answer is else (`robustness`).

One rule for all ways: a price last seen longer ago than LONGEST_AGE_DAYS is compared with nothing. Where that takes a whole kind of way,
its last known price is said, and whether it would have been cheaper. A rate, an exchange rate and a tariff have no newer one beside them:
they are used however old and named, and an answer that rests on one beyond its limit is clear only where it is cheaper by half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.decision.market import LONGEST_AGE_DAYS
from pipelines.decision.options import Asked, Way, Ways, ways_to_serve
from pipelines.decision.options.committed import FOR_A_TERM, term_kind
from pipelines.decision.robustness import Verdict
from pipelines.decision.words import said
from pipelines.decision.workload import Constraints

ADVANTAGE_ON_OLD_FIGURES = 0.5
OLD_RATE_DAYS, OLD_EXCHANGE_DAYS, OLD_TARIFF_DAYS = 365, 7, 270


@dataclass(frozen=True)
class LastKnown:
    """The cheapest way of a kind whose every price is too old, at its last known price, USD over the horizon."""

    kind: str
    title: str
    usd: float
    price_on: date
    age_days: int
    is_cheaper: bool


def old_figures(asked: Asked, ways: Sequence[Way]) -> list[str]:
    """Figures behind some ways that are older than the limit of their kind, in words."""
    market, found = asked.market, list[str]()
    for way in ways:
        m = way.measurement
        if m is not None and m.measured_on is not None and m.basis != "yours" and (market.as_of - m.measured_on).days > OLD_RATE_DAYS:
            device = f"{m.gpu} {m.precision}"
            found.append(said("the rate of {device} ({day}, limit {limit} days)", device=device, day=m.measured_on, limit=OLD_RATE_DAYS))
    if asked.workload.currency == "EUR" and (market.as_of - market.fx_on).days > OLD_EXCHANGE_DAYS:
        found.append(said("the exchange rate ({day}, limit {limit} days)", day=market.fx_on, limit=OLD_EXCHANGE_DAYS))
    tariff = market.electricity.on
    if tariff is not None and (market.as_of - tariff).days > OLD_TARIFF_DAYS and any(way.server for way in ways):
        found.append(said("the price of electricity ({day}, limit {limit} days)", day=tariff, limit=OLD_TARIFF_DAYS))
    return list(dict.fromkeys(found))


def last_known(asked: Asked, constraints: Constraints, found: Ways) -> list[LastKnown]:
    """Of each kind that no price of today serves the way that its last known price would."""
    there = {way.kind for way in found.cheapest}
    expired = asked.market.expired
    offers = [o for o in expired.offers if (term_kind(o) if o.option in FOR_A_TERM else o.option) not in there]
    servers = [] if "own" in there else list(expired.servers)
    sellers = [] if "api" in there else list(expired.api_offers)
    if not (offers or servers or sellers):
        return []
    then = replace(asked, market=replace(asked.market, offers=offers, servers=servers, api_offers=sellers))
    best = found.cheapest[0].base_usd if found.cheapest else None
    made = []
    for way in ways_to_serve(then, constraints).cheapest:
        priced = way.server or way.offer or way.api
        if way.kind not in there and way.kind != "hybrid" and priced is not None:
            made.append(LastKnown(way.kind, way.title, way.base_usd, priced.price_on, priced.age_days, best is None or way.base_usd < best))
    return made


def too_old(aside: LastKnown) -> str:
    """Why it was not compared, in words."""
    return said(
        "its last known price is of {day}, {age} days old, limit {limit}", day=aside.price_on, age=aside.age_days, limit=LONGEST_AGE_DAYS
    )


def why_set_aside(aside: Sequence[LastKnown], found: Ways) -> dict[str, str]:
    """The reason of each kind, and of owning the base where no server may be compared."""
    why = {one.kind: too_old(one) for one in aside}
    return why | ({"hybrid": why["own"]} if "own" in why and "hybrid" in found.excluded else {})


def held_back(verdict: Verdict, asked: Asked, found: Ways, aside: Sequence[LastKnown]) -> Verdict:
    """Not clear where what is too old would be cheaper, nor, unless cheaper by half, on a figure beyond its limit (or its rival's)."""
    by_half = verdict.advantage_share is not None and verdict.advantage_share >= ADVANTAGE_ON_OLD_FIGURES
    why = [] if by_half else old_figures(asked, found.cheapest[:2])
    why += [said("{way}: {why}", way=one.title, why=too_old(one)) for one in aside if one.is_cheaper]
    if verdict.word != "clear" or not why:
        return verdict
    return replace(verdict, word="lean", held_back=tuple(why))
