"""The hybrid plan over a year of hours and up to 1,000 servers, beside trying every number of servers.

To reach: 50 ms.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from pipelines.economics import hybrid_plan

HOURS, SERVERS, RUNS = 8760, 1000, 15


def by_trying(load: np.ndarray, fixed: float, variable: float, rented: float) -> float:
    """The same minimum, hour by hour for each number of servers."""
    return min(
        float((n * fixed + variable * np.minimum(load, n) + rented * np.maximum(load - n, 0)).sum())
        for n in range(int(np.ceil(load.max())) + 1)
    )


def test_a_year_of_hours() -> None:
    load = np.random.default_rng(1).gamma(2.0, 0.15, HOURS)
    load *= SERVERS / load.max()
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        plan = hybrid_plan(load, 1.0, 2.0, 0.3, 9.0)
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    tried = by_trying(load, 2.0, 0.3, 9.0)
    trying = time.perf_counter() - started
    ours = statistics.median(seconds)
    times = f"{ours * 1e3:.2f} ms; trying each number {trying * 1e3:.0f} ms ({trying / ours:.0f}x)"
    print(f"\nhybrid plan, {HOURS} hours, {SERVERS} servers: {times}")
    assert abs(plan.usd_total - tried) <= 1e-9 * tried
    assert ours <= 0.050
