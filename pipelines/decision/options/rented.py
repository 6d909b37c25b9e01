"""Machines rented by the hour: whole ones, in each hour enough for that hour's load.

Pure. Belongs here: on demand and spot. Does not belong here: commitments (`committed`), formulas (`pipelines.economics`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.constraints import refusal
from pipelines.decision.demand import Demand, machine_hours, machines_beside
from pipelines.decision.market import Measurement, Offer
from pipelines.decision.options.way import Asked, Way, best_on, capacity_per_hour, system_of, together
from pipelines.decision.scenario import BASE, INTERRUPTIONS, RENT_PATH, RENTED_PRICE, TIME_BETWEEN_INTERRUPTIONS, Scenario
from pipelines.decision.words import said
from pipelines.decision.workload import Constraints
from pipelines.economics import effective_cloud_usd_per_hour, restart_waste_share, spot_waste_share

# Paid while it runs, under whatever name: machines of a seller, what others do not use, what starts by itself, and other people's.
BY_THE_HOUR = ("on_demand", "spot", "serverless", "marketplace")
TITLES = {
    "on_demand": "rent {machine} on demand at {place}",
    "spot": "rent {machine} spot at {place}",
    "serverless": "rent {machine} serverless at {place}",
    "marketplace": "rent {machine} of a host at {place}",
}


@dataclass(frozen=True)
class RentedWay(Way):
    """One offer and one measured configuration, switched on and off by the hour."""

    def components(self, scenario: Scenario) -> dict[str, float]:
        """Cost by part, USD over the years."""
        now = machine_usd(self.offer, self.asked, scenario) if self.offer else 0.0
        return {"rent": sum(self._hours(scenario, year) * now * self.path(scenario, year) for year in range(self.asked.years))}

    def year_usd(self, scenario: Scenario, year: int) -> float:
        """Rent of one year (0 is the first)."""
        return self._hours(scenario, year) * self.hour_usd(scenario, year)

    def _hours(self, scenario: Scenario, year: int) -> float:
        assert self.measurement is not None and self.offer is not None
        load, asked = self.asked.at_load(scenario)[year], self.asked
        system = system_of(self.measurement, self.offer.gpu_count, asked)
        return machine_hours(load, self.capacity(scenario), system, asked.cold_start_s, asked.spare(scenario), asked.workload.sites)

    def path(self, scenario: Scenario, year: int) -> float:
        """What a rent of today is multiplied by in a year."""
        assert self.offer is not None
        return scenario.path(RENT_PATH, self.asked.market.drift.get(self.offer.option), year)

    def capacity(self, scenario: Scenario = BASE) -> float:
        """Counted tokens per hour of one machine."""
        assert self.measurement is not None and self.offer is not None
        return capacity_per_hour(self.measurement, self.offer.gpu_count, self.asked, scenario)

    def hour_usd(self, scenario: Scenario, year: int) -> float:
        """USD of one machine for an hour of work in a year (0 is the first)."""
        assert self.offer is not None
        return machine_usd(self.offer, self.asked, scenario) * self.path(scenario, year)

    def machine_hours(self) -> float:
        """Machine-hours billed over the years, at base figures."""
        return sum(self._hours(BASE, year) for year in range(self.asked.years))

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        assert self.offer is not None
        return said(TITLES[self.kind], machine=machine_of(self.offer), place=place_of(self.offer))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is special to this kind."""
        peak = max(math.ceil(year.peak / self.capacity() - 1e-9) for year in self.asked.demand)
        return {"machine_hours": self.machine_hours(), "machines_at_the_peak": peak}


def machine_of(offer: Offer) -> str:
    """What is rented, as a name."""
    one = f"{offer.gpu_count / offer.nodes:g}x {offer.gpu}"
    return one if offer.nodes == 1 else said("{nodes} together of {machine}", nodes=offer.nodes, machine=one)


def place_of(offer: Offer) -> str:
    """The seller, and the region where its list names one."""
    if offer.is_yours:
        own = offer.provider == "your quote"
        return said("your quote") if own else said("{seller} (your quote)", seller=offer.provider)
    return offer.provider if offer.region in ("all", "-") else f"{offer.provider} {offer.region}"


def beside(peaks: RentedWay | None) -> dict[str, Any] | None:
    """What is rented beside machines that are there all the time, as a fact of the way that has them."""
    return None if peaks is None else {"title": peaks.title, "offer": peaks.offer, "measurement": peaks.measurement}


def machine_usd(offer: Offer, asked: Asked, scenario: Scenario) -> float:
    """USD of one machine for an hour in which it works, today; interruptions of spot machines waste a part of it."""
    price = scenario.value(RENTED_PRICE, offer.usd_per_gpu_hour) * scenario.factor(RENTED_PRICE) * offer.gpu_count
    waste = min(0.99, _waste_share(offer, asked, scenario)) if offer.option == "spot" else 0.0
    return float(effective_cloud_usd_per_hour(price, "spot" if offer.option == "spot" else "on_demand", waste_share=waste))


def _waste_share(offer: Offer, asked: Asked, scenario: Scenario) -> float:
    """Share of a spot machine's time that goes into restarts: at its seller's own rate of interruptions, else at the assumed one."""
    restart_s = asked.value("spot_restart_s", scenario)
    if offer.interruptions_per_month is not None:
        return float(restart_waste_share(scenario.value(INTERRUPTIONS, offer.interruptions_per_month), restart_s))
    between_s = asked.value(TIME_BETWEEN_INTERRUPTIONS, scenario, absent=math.inf)
    return float(spot_waste_share(between_s, restart_s)) if math.isfinite(between_s) else 0.0


def fitting(asked: Asked, constraints: Constraints, options: tuple[str, ...]) -> Iterator[tuple[Offer, Measurement]]:
    """Allowed offers that hold the model, each with the systems that serve it best; by the GPU, whole replicas are rented."""
    measurements = asked.market.measurements
    for offer in asked.market.offers:
        if offer.option not in options or not holds(offer.gpu, measurements) or refusal(offer, constraints, asked.market) is not None:
            continue
        if offer.is_by_the_gpu:
            for m in measurements:
                if m.gpu == offer.gpu and m.gpu_count <= LARGEST_SERVER_GPUS:
                    yield replace(offer, gpu_count=m.gpu_count), m
        else:
            for m in best_on(offer.gpu_count, offer.gpu, measurements):
                yield offer, m
            if offer.gpu_count == LARGEST_SERVER_GPUS:  # smaller machines have no network between them
                for nodes, m in together(offer.gpu_count, offer.gpu, measurements):
                    yield replace(offer, gpu_count=m.gpu_count, nodes=nodes), m


def holds(gpu: str, measurements: list[Measurement]) -> bool:
    """Whether a rate of the model on this device is known."""
    return any(m.gpu == gpu for m in measurements)


def rented(asked: Asked, constraints: Constraints) -> list[RentedWay]:
    """Every allowed offer by the hour as a way of its own."""
    return [RentedWay(offer.option, asked, m, offer) for offer, m in fitting(asked, constraints, BY_THE_HOUR)]


def left_to_rent(demand: Demand, capacity: float, units: np.ndarray, way: RentedWay | None, asked: Asked) -> list[np.ndarray]:
    """What renting costs in each year beside each number of units of `capacity`; infinite where they fall short with nothing to rent."""
    found = []
    for number, year in enumerate(demand):
        if way is None:
            over = np.maximum(year.values[:, None] - units[None, :] * capacity, 0.0)
            found.append(np.where((over > capacity * 1e-9).any(axis=0), np.inf, 0.0))
            continue
        needed = machines_beside(year.values[:, None], units[None, :], capacity, way.capacity())
        found.append((needed * year.hours[:, None]).sum(axis=0) * way.hour_usd(BASE, number))
    return found


def rents_beside(demand: Demand, units: Sequence[float], capacity: float, way: RentedWay, scenario: Scenario) -> float:
    """The same for one number of units in each year, over all of them and in any scenario."""
    assert way.offer is not None
    now, of_machine = machine_usd(way.offer, way.asked, scenario), way.capacity(scenario)
    total = 0.0
    for number, (year, count) in enumerate(zip(demand, units, strict=True)):
        needed = machines_beside(year.values, np.asarray(count), capacity, of_machine)
        total += float((needed * year.hours).sum()) * now * way.path(scenario, number)
    return total


# A table of loads by numbers of machines has at most so many cells for each year.
CELLS = 40_000


def in_classes(demand: Demand, most: int) -> Demand:
    """Fewer classes of hours where there are many machines, so that the table of both stays small; costs are those of all hours."""
    return tuple(year.coarse(max(64, CELLS // (most + 1))) for year in demand)
