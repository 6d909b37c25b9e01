"""Servers of one's own, bought when they are needed, and what they cannot serve rented.

Pure. Belongs here: owning all of it, and owning the base. Does not belong here: the formulas (`pipelines.economics`), offers (`rented`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.costing.assumptions import server_of
from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.demand import Demand, Year, fleet
from pipelines.decision.load_file import HOURS_PER_YEAR
from pipelines.decision.market import Measurement, Server
from pipelines.decision.options.extras import interest_until_there
from pipelines.decision.options.rented import RentedWay, beside, in_classes, left_to_rent, rents_beside
from pipelines.decision.options.stages import staged
from pipelines.decision.options.way import Asked, Way, best_on, capacity_per_hour, system_of, together
from pipelines.decision.scenario import BASE, ELECTRICITY, SERVER_POWER, SERVER_PRICE, Scenario
from pipelines.decision.words import said
from pipelines.economics import OnPremServer, annual_capital_cost, annual_write_off, residual_share

# The full posts of a node hold for a few; a fleet needs less for each further one.
NODES_AT_FULL_STAFF = 8


@dataclass(frozen=True)
class OwnedWay(Way):
    """`servers` in each year, without spares. Bought in the first year of a stage, kept to the end, then worth what their age leaves."""

    servers: tuple[int, ...] = ()
    peaks: RentedWay | None = None
    until_there: RentedWay | None = None

    @property
    def bridge(self) -> RentedWay | None:
        """What serves until servers arrive."""
        return self.peaks or self.until_there

    def bought_later_usd(self, scenario: Scenario) -> float:
        """Capital of all that is bought after the first day."""
        return (max(self.there) - self.there[0]) * float(self.described(scenario, 1).capex_usd)

    def ready_share(self, scenario: Scenario, year: int) -> float:
        """Share of a year (0 is the first) in which servers ordered on the first day are there and run."""
        if "lead_time" not in self.asked.workload.count:
            return 1.0
        return min(1.0, max(0.0, year + 1 - self.asked.value("lead_time_months", scenario) / 12))

    def _while_ready(self, demand: Demand, scenario: Scenario) -> Demand:
        """The hours in which the servers are there."""
        return tuple(replace(year, hours=year.hours * self.ready_share(scenario, number)) for number, year in enumerate(demand))

    def bought_usd_years(self, scenario: Scenario) -> float:
        """Capital times the years for which it is there."""
        return sum(self.there) * float(self.described(scenario, 1).capex_usd)

    def components(self, scenario: Scenario) -> dict[str, float]:
        """Cost by part, USD over the years."""
        assert self.measurement is not None and self.server is not None
        asked = self.asked
        capacity = capacity_per_hour(self.measurement, self.server.gpu_count, asked, scenario)
        demand = self._while_ready(asked.at_load(scenario), scenario)
        serving = self._serving(demand, capacity)
        there = [n * asked.workload.sites + (asked.spare(scenario) if n else 0.0) for n in serving]
        parts = self._of_servers(there, scenario)
        server = self.described(scenario, 1)
        price = scenario.value(ELECTRICITY, asked.market.electricity.band)
        system = system_of(self.measurement, self.server.gpu_count, asked)
        busy = sum(
            float((system.at_work(np.minimum(y.values / capacity, n)) * y.hours).sum()) for n, y in zip(serving, demand, strict=True)
        )
        parts["energy"] += busy * (server.load_kw - server.idle_kw) * server.pue * price
        if self.peaks is not None:
            parts["rent of peaks"] = rents_beside(demand, serving, capacity, self.peaks, scenario)
        return {name: usd for name, usd in parts.items() if usd}

    def _serving(self, demand: Demand, capacity: float) -> list[int]:
        """Servers of each year: as planned, and without anything to rent as many as the load needs."""
        if self.peaks is not None:
            return list(self.servers)
        return _in_stages([fleet(year, capacity) for year in demand], self.asked.workload.purchase.stage_years)

    def _of_servers(self, there: list[float], scenario: Scenario) -> dict[str, float]:
        """Costs of being there: capital of each stage over the years that it is kept, and the running of each year's servers."""
        asked = self.asked
        server = self.described(scenario, 1)
        price = scenario.value(ELECTRICITY, asked.market.electricity.band)
        ready = [self.ready_share(scenario, year) for year in range(len(there))]
        server_years = sum(count * share for count, share in zip(there, ready, strict=True))
        assert self.server is not None
        new = server.server_usd / residual_share(self.server.age_years, asked.value("residual_decline_per_year", scenario))
        posts = sum(
            staff_posts(count * self._nodes, self._gpus / self._nodes, asked, scenario) * share
            for count, share in zip(there, ready, strict=True)
        )
        return {
            "capital": self._over_stages(there, scenario, _capital_at(None)),
            "maintenance": server_years * server.maintenance_share * new,
            "energy": server_years * server.idle_kw * server.pue * price * HOURS_PER_YEAR,
            "space": server_years * server.colocation_usd_per_month * 12,
            "staff": posts * asked.value("staff_usd_per_fte_year", scenario),
        }

    def _over_stages(self, there: list[float], scenario: Scenario, yearly: Callable[[OnPremServer], float]) -> float:
        """A yearly sum of each server's capital over the years that it is kept."""
        total, before = 0.0, 0.0
        for year, count in enumerate(there):
            if count > before:
                kept = self.asked.years - year
                total += (count - before) * yearly(self.described(scenario, kept)) * kept
                before = count
        return total

    def capital_at(self, scenario: Scenario, rate: float) -> float:
        """Cost of all capital at another rate of interest."""
        return self._over_stages(self.there, scenario, _capital_at(rate))

    def written_off_usd(self, scenario: Scenario) -> float:
        """What tax lets all capital deduct."""
        over = self.asked.value("write_off_years", scenario, absent=float(self.asked.years))
        return self._over_stages(
            self.there, scenario, lambda s: annual_write_off(s.capex_usd, s.residual_share, s.discount_rate, s.life_years, over)
        )

    def described(self, scenario: Scenario, years: int) -> OnPremServer:
        """The server kept for `years` in a scenario, without its staff, which is that of the fleet."""
        assert self.server is not None
        nodes = self.server.nodes

        def assumed(name: str) -> float:
            if name == "staff_fte_per_node":
                return 0.0
            # A network between servers is more than the ports of one: the dear end of its share, whatever the scenario.
            return self.asked.value(name, Scenario({name: 1.0}) if name == "network_share" and nodes > 1 else scenario)

        return server_of(
            assumed,
            server_usd=scenario.value(SERVER_PRICE, self.server.usd) * scenario.factor(SERVER_PRICE),
            life_years=float(years),
            load_kw=scenario.value(SERVER_POWER, self.server.load_kw),
            electricity_usd_per_kwh=scenario.value(ELECTRICITY, self.asked.market.electricity.band),
        )

    @property
    def _gpus(self) -> float:
        assert self.server is not None
        return self.server.gpu_count

    @property
    def _nodes(self) -> int:
        assert self.server is not None
        return self.server.nodes

    @property
    def there(self) -> list[float]:
        """Servers that stand there in each year, spares and second site among them."""
        return [n * self.asked.workload.sites + (self.asked.spare(BASE) if n else 0.0) for n in self.servers]

    @property
    def capital_usd(self) -> float:
        """All that is bought over the years, at today's price."""
        return max(self.there) * float(self.described(BASE, 1).capex_usd)

    @property
    def owned_share(self) -> float:
        """Share of the tokens that owned servers serve."""
        assert self.measurement is not None
        capacity = capacity_per_hour(self.measurement, self._gpus, self.asked)
        pairs = zip(self.servers, self._while_ready(self.asked.demand, BASE), strict=True)
        served = sum(float((np.minimum(y.values, n * capacity) * y.hours).sum()) for n, y in pairs)
        return served / sum(year.tokens for year in self.asked.demand)

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        way = said("own {servers}", servers=self.what)
        return said("{way}, rent the peaks", way=way) if self.peaks else way

    @property
    def what(self) -> str:
        """The servers in words."""
        assert self.server is not None
        nodes = self.server.nodes
        first, last = self.servers[0] * nodes, self.servers[-1] * nodes
        count = str(last) if first == last else said("{first} growing to {last}", first=first, last=last)
        more = self.there[-1] * nodes - last
        servers = said("{count} of {server}", count=count, server=self.server.hardware)
        if nodes > 1:
            servers = said("{servers}, {nodes} together", servers=servers, nodes=nodes)
        return said("{servers} with {more} to spare", servers=servers, more=f"{more:g}") if more else servers

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is special to this kind."""
        return {
            "servers_owned": self.servers[-1],
            "servers_by_year": list(self.servers),
            "servers_to_spare": self.there[-1] - self.servers[-1],
            "owned_share": self.owned_share,
            "capital_usd": self.capital_usd,
            "peaks": beside(self.peaks),
        }


def _capital_at(rate: float | None) -> Callable[[OnPremServer], float]:
    """Yearly cost of a server's capital at a rate of interest, its own where None."""
    return lambda s: float(annual_capital_cost(s.capex_usd, s.residual_share, s.discount_rate if rate is None else rate, s.life_years))


def staff_posts(servers: float, gpus: float, asked: Asked, scenario: Scenario = BASE) -> float:
    """Full-time posts of a fleet of so many nodes: so many a node for the first few, then so many a GPU."""
    a_node = asked.value("staff_fte_per_node", scenario)
    a_gpu = asked.value("staff_fte_per_fleet_gpu", scenario, absent=a_node / gpus)
    few = min(servers, NODES_AT_FULL_STAFF)
    return few * a_node + (servers - few) * min(a_gpu * gpus, a_node)


def owned(asked: Asked, peaks: list[RentedWay], limit_usd: float) -> tuple[list[OwnedWay], str | None]:
    """Owning all, and owning the base beside each way of renting the peaks; and why nothing is owned where the budget forbids it."""
    found: list[OwnedWay] = []
    refused: str | None = None
    for one in asked.market.servers:
        for server, m in _systems(one, asked):
            capacity = capacity_per_hour(m, server.gpu_count, asked)
            needed = _in_stages([fleet(year, capacity) for year in asked.demand], asked.workload.purchase.stage_years)
            whole = OwnedWay("own", asked, m, server=server, servers=tuple(needed), until_there=peaks[0] if peaks else None)
            if whole.capital_usd <= limit_usd:
                found.append(whole)
            else:
                refused = said("the capital of {servers}, {usd} USD, is above the budget", servers=whole.what, usd=whole.capital_usd)
            found += [way for rent in peaks if (way := _with_peaks(whole, rent, capacity, limit_usd)) is not None]
    return found, refused


def _systems(server: Server, asked: Asked) -> Iterator[tuple[Server, Measurement]]:
    """What a server runs by itself, and what several run together as one: then they are bought together."""
    for m in best_on(server.gpu_count, server.gpu, asked.market.measurements):
        yield server, m
    if server.gpu_count == LARGEST_SERVER_GPUS:
        for nodes, m in together(server.gpu_count, server.gpu, asked.market.measurements):
            usd = {end: value * nodes for end, value in server.usd.items()}
            load_kw = {end: value * nodes for end, value in server.load_kw.items()}
            yield replace(server, gpu_count=m.gpu_count, usd=usd, load_kw=load_kw, nodes=nodes), m


def _with_peaks(whole: OwnedWay, rent: RentedWay, capacity: float, limit_usd: float) -> OwnedWay | None:
    """The numbers of servers that cost least with what is left rented, or None where that is none of them, or all."""
    asked = whole.asked
    each = float(whole.described(BASE, 1).capex_usd)
    most = max(whole.servers)
    affordable = most if math.isinf(limit_usd) else min(most, int(limit_usd // each / asked.workload.sites - asked.spare(BASE)))
    if affordable < 1:
        return None
    demand = whole._while_ready(in_classes(asked.demand, most), BASE)
    units = np.arange(affordable + 1, dtype=np.float64)
    rents = left_to_rent(demand, capacity, units, rent, asked)
    per_year = [cost + _yearly(whole, units, capacity, year, n) for n, (cost, year) in enumerate(zip(rents, demand, strict=True))]
    servers = staged(per_year, _added(whole))
    if max(servers) == 0 or servers == list(whole.servers):
        return None
    return OwnedWay("hybrid", asked, whole.measurement, rent.offer, server=whole.server, servers=tuple(servers), peaks=rent)


def _added(whole: OwnedWay) -> list[float]:
    """What a server costs from each year to the end, but for staff and the energy of use; infinite between stages."""
    years, sites = whole.asked.years, whole.asked.workload.sites
    costs = []
    for year in range(years):
        alone = [0.0] * year + [1.0] * (years - year)
        parts = whole._of_servers(alone, BASE)
        usd = (sum(parts.values()) - parts["staff"]) * sites
        if year and "lead_time" in whole.asked.workload.count:
            usd += interest_until_there(whole.asked, float(whole.described(BASE, 1).capex_usd), BASE) * sites
        costs.append(usd if year % whole.asked.workload.purchase.stage_years == 0 else math.inf)
    return costs


def _yearly(whole: OwnedWay, units: np.ndarray, capacity: float, year: Year, number: int) -> np.ndarray:
    """Staff and energy of use of one year (0 is the first), for each number of servers."""
    asked, server = whole.asked, whole.described(BASE, 1)
    sites, spare = asked.workload.sites, asked.spare(BASE)
    nodes = whole._nodes
    posts = np.array([staff_posts((n * sites + (spare if n else 0.0)) * nodes, whole._gpus / nodes, asked) for n in units])
    assert whole.measurement is not None
    system = system_of(whole.measurement, whole._gpus, asked)
    busy = (system.at_work(np.minimum(year.values[:, None] / capacity, units[None, :])) * year.hours[:, None]).sum(axis=0)
    price = asked.market.electricity.band["base"]
    use = busy * (server.load_kw - server.idle_kw) * server.pue * price
    return np.asarray(posts * asked.value("staff_usd_per_fte_year", BASE) * whole.ready_share(BASE, number) + use)


def _in_stages(needed: list[int], stage_years: int) -> list[int]:
    """Servers of each year where those of a whole stage are bought at its beginning, and none is sold before the end."""
    found: list[int] = []
    for start in range(0, len(needed), stage_years):
        stage = needed[start : start + stage_years]
        found += [max([*stage, *found[-1:]])] * len(stage)
    return found
