"""The load over the years of the horizon, and how many whole machines it needs.

Pure. Belongs here: hours, growth, counting machines. Does not belong here: what a machine costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.decision.load_file import HOURS_PER_YEAR
from pipelines.decision.system import ROUNDING, System
from pipelines.decision.workload import Workload


@dataclass(frozen=True)
class Year:
    """Distinct loads of the hours of one year, in tokens per hour, and how many hours have each."""

    values: np.ndarray
    hours: np.ndarray

    @property
    def tokens(self) -> float:
        """Tokens of the year."""
        return float((self.values * self.hours).sum())

    @property
    def peak(self) -> float:
        """The greatest hour."""
        return float(self.values.max())

    def times(self, factor: float) -> Year:
        """The same hours with more or less load."""
        return Year(self.values * factor, self.hours)

    def coarse(self, classes: int) -> Year:
        """At most so many classes of hours, each at its mean, the greatest hour kept: for what is computed a thousand times."""
        if self.values.size <= classes:
            return self
        cumulative = np.cumsum(self.hours)
        group = np.minimum((cumulative - self.hours) * (classes - 1) // cumulative[-1], classes - 2).astype(int)
        group[-1] = classes - 1
        hours = np.bincount(group, self.hours, classes)
        tokens = np.bincount(group, self.values * self.hours, classes)
        there = hours > 0
        return Year(tokens[there] / hours[there], hours[there])


Demand = tuple[Year, ...]


def demand_of(workload: Workload, load: np.ndarray, years: int) -> Demand:
    """Each year's load, from the hours of the first. The shape `growing` goes on where the year before ended."""
    growth = workload.load.growth_per_year
    found = []
    for year in range(years):
        if workload.load.shape == "growing" and year > 0:
            level = float(load[-1])
            ramp = np.arange(1, HOURS_PER_YEAR + 1) / HOURS_PER_YEAR
            hours = level * (1 + growth) ** (year - 1) * (1 + growth * ramp)
        else:
            hours = load * (1 + growth) ** year
        values, counts = np.unique(hours, return_counts=True)
        found.append(Year(values, counts.astype(np.float64)))
    return tuple(found)


def machines(load: np.ndarray, capacity: float, least: int = 1) -> np.ndarray:
    """Whole machines for each load: enough for it, and at least `least` wherever there is any."""
    needed = np.ceil(load / capacity - ROUNDING)
    return np.where(load > 0, np.maximum(needed, least), 0.0)


def machines_beside(load: np.ndarray, units: np.ndarray, capacity: float, of_machine: float) -> np.ndarray:
    """Whole machines for what units of `capacity` leave of each load; where there are none, as many as for the load alone."""
    left = np.ceil(np.maximum(load - units * capacity, 0.0) / of_machine - ROUNDING)
    return np.where((units == 0) & (load > 0), np.maximum(left, 1.0), left)


def machine_hours(
    year: Year, capacity: float, system: System, cold_start_s: float | None = None, spare: float = 0.0, sites: int = 1
) -> float:
    """Machine-hours that a year is billed: whole machines in each hour.

    With `cold_start_s` the last machine of an hour is switched off when it has done its work, and pays its start; `spare` machines and
    a second site stand beside, in each hour in which there is any load.
    """
    billed = machines(year.values, capacity) if cold_start_s is None else system.billed(year.values / capacity, cold_start_s)
    beside = np.where(year.values > 0, spare, 0.0)
    return float(((billed * sites + beside) * year.hours).sum())


def fleet(year: Year, capacity: float) -> int:
    """Whole machines that serve every hour of a year; at least one."""
    return max(1, int(np.ceil(year.peak / capacity - ROUNDING)))
