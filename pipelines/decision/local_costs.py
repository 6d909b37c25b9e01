"""What power, space and salaries cost where a site stands.

Pure. Belongs here: which country's figures hold, and what stands in where a country's own are not known. Does not belong here: reading
them (`reading`), the asker's own figures (`own_figures`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.decision.documents import WorkloadError
from pipelines.decision.lookups import country_of
from pipelines.decision.market import Assumption
from pipelines.decision.words import said
from pipelines.decision.workload import Workload
from pipelines.platform.text import fit_to_show
from pipelines.prices.places import EU_COUNTRIES, EUROPE

TARIFF = "electricity_usd_per_kwh"
EU_AVERAGE = "EU27_2020"
PROVINCES = frozenset(f"CA-{p}" for p in ("AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"))
# Ends of a stated tariff: averages of one class of consumers over a period; the asker's is a class of its own, of another year.
CHEAPER, DEARER = 0.75, 1.35
LOCAL = ("colocation_usd_per_kw_month", "staff_usd_per_fte_year")


@dataclass(frozen=True)
class Tariff:
    """A stated price of electricity for companies; `known_on` is the day on which it could be read."""

    area: str
    usd_per_kwh: float
    period_to_on: date | None
    known_on: date | None
    source: str


def area_of(workload: Workload) -> str:
    """The area whose tariff is asked for: the stated one, else the site's country, else the United States."""
    area = workload.electricity_area or workload.site.country or "US"
    return EU_AVERAGE if area == "EU" else area


def country_of_area(area: str) -> str:
    """`US` of `US-VA`, `EU` of the average of the European Union."""
    return "EU" if area == EU_AVERAGE else area.partition("-")[0]


def tariff_of(area: str, known: Sequence[Tariff], as_of: date) -> Assumption:
    """The area's own tariff, else what is known around it, marked. Raises WorkloadError where there is neither."""
    own = [t for t in known if t.area == area]
    if own:
        return _stated(_latest(own, as_of), as_of)
    group, members = _around(area, {t.area for t in known})
    if not members:
        _refuse(area, known)
    latest = [_latest([t for t in known if t.area == member], as_of) for member in sorted(members)]
    ends = [_stated(t, as_of).band for t in latest]
    of_all = statistics.median(t.usd_per_kwh for t in latest)
    average = next((t.usd_per_kwh for t in known if t.area == EU_AVERAGE and members <= EUROPE), of_all)
    days = [t.period_to_on for t in latest if t.period_to_on is not None]
    return Assumption(
        TARIFF,
        {"low": min(end["low"] for end in ends), "base": average, "high": max(end["high"] for end in ends)},
        "USD per kWh",
        said(
            "no tariff of {area} is known here: from the cheapest to the dearest of {count} known ones of {group}",
            area=area,
            count=str(len(latest)),
            group=group,
        ),
        is_assumed=True,
        on=min(days, default=None),
        stands_in_for=area,
    )


def _latest(quotes: Sequence[Tariff], as_of: date) -> Tariff:
    """The newest that could be read on the day; where none could, the one that was first."""
    readable = [t for t in quotes if (t.known_on or date.min) <= as_of]
    if readable:
        return max(readable, key=lambda t: (t.period_to_on or date.min, t.source))
    return min(quotes, key=lambda t: (t.known_on or date.min, t.source))


def _stated(quote: Tariff, as_of: date) -> Assumption:
    years = max(1.0, (as_of - quote.period_to_on).days / 365) if quote.period_to_on is not None else 1.0
    price, root = quote.usd_per_kwh, math.sqrt(years)
    return Assumption(
        TARIFF,
        {"low": price * CHEAPER**root, "base": price, "high": price * DEARER**root},
        "USD per kWh",
        said("{source}; its ends are our assumption", source=quote.source),
        is_assumed=True,
        on=quote.period_to_on,
    )


def _around(area: str, known: set[str]) -> tuple[str, set[str]]:
    """Whose tariffs stand in for an area of which none is known."""
    if area in EU_COUNTRIES:
        return "the European Union", known & EU_COUNTRIES
    if area in EUROPE:
        return "Europe", known & EUROPE
    if area == "CA" or area in PROVINCES:
        return "Canada", known & PROVINCES
    return "", set()


def _refuse(area: str, known: Sequence[Tariff]) -> None:
    names = ", ".join(sorted({t.area for t in known}))
    asked = fit_to_show(repr(area))
    try:
        country_of(area)
    except ValueError as error:
        raise WorkloadError(f"electricity_area is {asked}: {error}; with a tariff are {names}") from error
    raise WorkloadError(
        f"electricity_area is {asked}, of which no tariff is known here; state quotes.electricity_per_kwh, or expected one of {names}"
    )


def with_local_costs(assumptions: Mapping[tuple[str, str | None], Assumption], area: str) -> dict[tuple[str, str | None], Assumption]:
    """Space and salaries of the area's country in place of those of the United States; rows of other places are left out."""
    country = country_of_area(area)
    places = [country, *(["EU"] if country in EU_COUNTRIES else []), *(["world"] if country != "US" else [])]
    found = {key: row for key, row in assumptions.items() if key[0] not in LOCAL or key[1] is None}
    for name in LOCAL:
        place = next((p for p in places if (name, p) in assumptions), None)
        if place is not None:
            found[name, None] = replace(assumptions[name, place], place=place)
    return found
