"""What every way to serve a workload has in common.

Belongs here: the shape of a way, what is asked of it, capacity of machines. Does not belong here: what one kind of way costs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from pipelines.decision.demand import Demand
from pipelines.decision.market import MOST_NODES, ApiOffer, Market, Measurement, Offer, Server
from pipelines.decision.options.extras import extras_of
from pipelines.decision.scenario import BASE, LOAD, PACKING, SPARE, THROUGHPUT, Scenario
from pipelines.decision.system import System
from pipelines.decision.workload import Workload

MILLION = 1e6
# Self-run rates are those of a benchmark; another engine, version or mix of requests is this far away, to either side.
THROUGHPUT_BAND = {"low": 1.15, "base": 1.0, "high": 0.75}
# From here on towards its dear end one machine more stands beside.
HALF_WAY = 0.5
LOAD_BAND = {"low": 0.5, "base": 1.0, "high": 1.5}


@dataclass(frozen=True)
class Asked:
    """One workload on one market, over as many years as `demand` has."""

    workload: Workload
    demand: Demand
    market: Market

    @property
    def years(self) -> int:
        """Years of the comparison."""
        return len(self.demand)

    def at_load(self, scenario: Scenario) -> Demand:
        """The demand with the scenario's load."""
        factor = scenario.value(LOAD, LOAD_BAND)
        return self.demand if factor == 1 else tuple(year.times(factor) for year in self.demand)

    def value(self, name: str, scenario: Scenario, absent: float = 0.0) -> float:
        """An assumption in a scenario; `absent` where the table has none of this name."""
        band = self.market.band(name)
        return absent if band is None else scenario.value(name, band)

    @property
    def cold_start_s(self) -> float | None:
        """Seconds of a cold start where the workload allows scale to zero."""
        return None if self.workload.scale_to_zero is None else self.workload.scale_to_zero.cold_start_s

    def spare(self, scenario: Scenario) -> float:
        """Machines beside those that the load needs."""
        return self.workload.resilience.spare_servers + float(scenario.at.get(SPARE, 0.0) > HALF_WAY)


class RentedLike(Protocol):
    """A way that can serve for a part of a year."""

    def year_usd(self, scenario: Scenario, year: int) -> float:
        """Cost of one year."""


@dataclass(frozen=True)
class Way(ABC):
    """One way to serve a workload, planned at base figures for the years of `asked`.

    `components` gives its cost by part, in USD over all years, in any scenario; the plan (what is owned or committed) stays.
    """

    kind: str
    asked: Asked

    measurement: Measurement | None = None
    offer: Offer | None = None
    api: ApiOffer | None = None
    server: Server | None = None

    @abstractmethod
    def components(self, scenario: Scenario) -> dict[str, float]:
        """Cost by part, USD over the years."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What is done, in a few words."""

    def parts(self, scenario: Scenario = BASE) -> dict[str, float]:
        """Its components and what the workload has counted beside them."""
        components = self.components(scenario)
        return components | extras_of(self, scenario, components)

    def cost(self, scenario: Scenario = BASE) -> float:
        """Cost of the whole, USD over the years."""
        return sum(self.parts(scenario).values())

    def bought_later_usd(self, scenario: Scenario) -> float:
        """Capital of all that is bought after the first day; 0 where nothing is."""
        del scenario
        return 0.0

    def ready_share(self, scenario: Scenario, year: int) -> float:
        """Share of a year (0 is the first) in which what is ordered on the first day serves."""
        del scenario, year
        return 1.0

    def bought_usd_years(self, scenario: Scenario) -> float:
        """Capital times the years for which it is there."""
        del scenario
        return 0.0

    def capital_at(self, scenario: Scenario, rate: float) -> float:
        """Cost of all capital at another rate of interest; 0 where nothing is bought."""
        del scenario, rate
        return 0.0

    def written_off_usd(self, scenario: Scenario) -> float:
        """What tax lets all capital deduct; 0 where nothing is bought."""
        del scenario
        return 0.0

    @property
    def bridge(self) -> RentedLike | None:
        """What serves until servers arrive; None where nothing is known."""
        return None

    @cached_property
    def base_usd(self) -> float:
        """Cost at base figures."""
        return self.cost()

    def on(self, asked: Asked) -> Way:
        """The same plan for other hours of the same years."""
        return replace(self, asked=asked)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is special to the kind: servers, machines, shares."""
        return {}

    @property
    def seller(self) -> str | None:
        """Who is paid, where it is not the maker of servers."""
        found = self.offer or self.api
        # A hub that passes requests on is no further seller.
        return None if self.server is not None or found is None else found.provider.removeprefix("huggingface_")


def capacity_per_hour(measured: Measurement, gpus: float, asked: Asked, scenario: Scenario = BASE) -> float:
    """Counted tokens per hour of a machine within the limits: as many copies of the measured system as fit, as far as they are filled."""
    copies = gpus // measured.gpu_count
    band = THROUGHPUT_BAND
    if measured.error_share:
        band = {"low": 1 + measured.error_share, "base": 1.0, "high": 1 / (1 + measured.error_share)}
    rate = measured.rate_per_gpu * measured.gpu_count * copies * scenario.value(THROUGHPUT, band)
    return rate * 3600 * asked.value(PACKING, scenario, absent=1.0)


def together(machine_gpus: float, gpu: str, measurements: list[Measurement]) -> list[tuple[int, Measurement]]:
    """Systems measured over several whole machines of so many GPUs: the fastest of each precision and number of machines."""
    best: dict[tuple[str, int], Measurement] = {}
    for m in measurements:
        nodes = int(m.gpu_count // machine_gpus)
        if m.gpu == gpu and 2 <= nodes <= MOST_NODES and m.gpu_count == nodes * machine_gpus:
            old = best.get((m.precision, nodes))
            if old is None or m.rate_per_gpu > old.rate_per_gpu:
                best[m.precision, nodes] = m
    return [(nodes, m) for (_, nodes), m in sorted(best.items())]


def system_of(measured: Measurement, gpus: float, asked: Asked) -> System:
    """The measured system on a machine of so many GPUs. Work that may wait is gathered, and fills what it runs on."""
    return System(int(gpus // measured.gpu_count), () if asked.workload.tokens.batch else measured.sweep)


def best_on(machine_gpus: float, gpu: str, measurements: list[Measurement]) -> list[Measurement]:
    """Of each precision the measured system that gives a machine of so many GPUs the most tokens; those that do not fit are left out."""
    best: dict[str, Measurement] = {}
    for m in measurements:
        if m.gpu != gpu or m.gpu_count > machine_gpus:
            continue
        rate = m.rate_per_gpu * m.gpu_count * (machine_gpus // m.gpu_count)
        old = best.get(m.precision)
        if old is None or rate > old.rate_per_gpu * old.gpu_count * (machine_gpus // old.gpu_count):
            best[m.precision] = m
    return [best[p] for p in sorted(best)]
