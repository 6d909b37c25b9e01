"""Machines rented for a term and paid every hour, the peaks by the hour.

Pure. Belongs here: commitments. Does not belong here: what is owned (`owned`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.decision.constraints import refusal
from pipelines.decision.demand import fleet
from pipelines.decision.load_file import HOURS_PER_YEAR
from pipelines.decision.market import Measurement, Offer
from pipelines.decision.options.rented import RentedWay, beside, fitting, in_classes, left_to_rent, machine_of, place_of, rents_beside
from pipelines.decision.options.stages import staged
from pipelines.decision.options.way import Asked, Way, capacity_per_hour
from pipelines.decision.scenario import BASE, RENT_PATH, RENTED_PRICE, Scenario
from pipelines.decision.words import said
from pipelines.decision.workload import Constraints


@dataclass(frozen=True)
class CommittedWay(Way):
    """`nodes` machines in each year, paid to the end of their terms; what they cannot serve is rented by the hour."""

    nodes: tuple[int, ...] = ()
    peaks: RentedWay | None = None

    def components(self, scenario: Scenario) -> dict[str, float]:
        """Cost by part, USD over the years."""
        assert self.measurement is not None and self.offer is not None
        capacity = capacity_per_hour(self.measurement, self.offer.gpu_count, self.asked, scenario)
        spare = self.asked.spare(scenario)
        demand = self.asked.at_load(scenario)
        price = scenario.value(RENTED_PRICE, self.offer.usd_per_gpu_hour) * scenario.factor(RENTED_PRICE) * self.offer.gpu_count
        parts = {"commitment": 0.0, "rent of peaks": 0.0}
        for number, year in enumerate(demand):
            nodes = self.nodes[number]
            if self.peaks is None:
                nodes = max(nodes, fleet(year, capacity))
            paid = (nodes * self.asked.workload.sites + (spare if nodes else 0)) * HOURS_PER_YEAR
            parts["commitment"] += paid * price * self._renewed(scenario, number)
        if self.peaks is not None:
            parts["rent of peaks"] = rents_beside(demand, self.nodes, capacity, self.peaks, scenario)
        return {name: usd for name, usd in parts.items() if usd}

    def _renewed(self, scenario: Scenario, year: int) -> float:
        """The price of a year is that of the day on which its term began."""
        assert self.offer is not None
        term = max(1, (self.offer.commitment_months or 12) // 12)
        return scenario.path(RENT_PATH, self.asked.market.drift.get(self.offer.option), year // term * term)

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        assert self.offer is not None
        way = said(
            "commit to {count} of {machine} for {months} months at {place}",
            count=_range(self.nodes),
            machine=machine_of(self.offer),
            months=self.offer.commitment_months,
            place=place_of(self.offer),
        )
        return said("{way}, rent the peaks", way=way) if self.peaks and self._rents_peaks else way

    @property
    def _rents_peaks(self) -> bool:
        return "rent of peaks" in self.components(BASE)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is special to this kind."""
        return {"nodes_committed": max(self.nodes), "nodes_by_year": list(self.nodes), "peaks": beside(self.peaks)}


FOR_A_TERM = ("commitment", "dedicated_month")


def term_kind(offer: Offer) -> str:
    """The kind of way that an offer for a term is: each length is one of its own."""
    return offer.option if offer.option == "dedicated_month" else f"commitment_{offer.commitment_months}_months"


def committed(asked: Asked, constraints: Constraints, peaks: RentedWay | None) -> list[CommittedWay]:
    """The cheapest number of machines of each allowed commitment; none where it is shortest to rent by the hour only."""
    found = []
    for offer, m in fitting(asked, constraints, FOR_A_TERM):
        months = offer.commitment_months
        if not months or months > asked.years * 12:
            continue
        for rent in {id(w): w for w in (peaks, None)}.values():
            way = _planned(asked, offer, m, rent)
            if way is not None:
                found.append(way)
    return found


def _planned(asked: Asked, offer: Offer, m: Measurement, peaks: RentedWay | None) -> CommittedWay | None:
    capacity = capacity_per_hour(m, offer.gpu_count, asked)
    most = max(fleet(year, capacity) for year in asked.demand)
    node = offer.usd_per_gpu_hour["base"] * offer.gpu_count * HOURS_PER_YEAR * asked.workload.sites
    months = offer.commitment_months or 12
    # A term that would end after the horizon is not begun.
    added = [node * (asked.years - year) if (asked.years - year) * 12 >= months else math.inf for year in range(asked.years)]
    units = np.arange(most + 1, dtype=np.float64)
    try:
        nodes = staged(left_to_rent(in_classes(asked.demand, most), capacity, units, peaks, asked), added)
    except ValueError:
        return None
    if max(nodes) == 0:
        return None
    return CommittedWay(term_kind(offer), asked, m, offer, nodes=tuple(nodes), peaks=peaks)


def why_none(asked: Asked, constraints: Constraints, kind: str) -> str | None:
    """Why no commitment of this kind is there."""
    whys = [refusal(o, constraints, asked.market) for o in asked.market.offers if o.option in FOR_A_TERM and term_kind(o) == kind]
    return next((why for why in whys if why), None)


def _range(numbers: tuple[int, ...]) -> str:
    return str(numbers[-1]) if len(set(numbers)) == 1 else said("{first} to {last}", first=numbers[0], last=numbers[-1])
