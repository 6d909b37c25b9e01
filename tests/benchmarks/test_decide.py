"""A whole answer for a year of hours that are all different, 1,000 servers and 40 sellers, with its draws and the price of a constraint.

To reach: 2 s after imports.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np

from pipelines.decision import as_text, decide
from tests.unit.decision.test_plan import CAPACITY, offer, workload
from tests.unit.decision.test_whole_machines import full_market

from .scale import scale

SELLERS, RUNS = 40, 5


def test_a_year_of_hours_a_thousand_servers_forty_sellers() -> None:
    hours = np.random.default_rng(1).uniform(100, 1000, 8760) * CAPACITY
    offers = [offer("on_demand", 1.5 + n / 20, provider=f"p{n}", region=str(n)) for n in range(SELLERS)]
    terms = [offer("commitment", 1.2 + n / 20, provider=f"p{n}", region=f"t{n}") for n in range(3)]
    asked = workload(growth=0.1, spot_allowed=False)
    given = replace(full_market(), offers=[*offers, *terms])
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        found = decide(asked, hours, given)
        as_text(found)
        seconds.append(time.perf_counter() - started)
    ours = statistics.median(seconds)
    print(f"\ndecide, {hours.size} hours, {found.servers_for_peak} servers at the most, {SELLERS} sellers: {ours:.2f} s")
    assert found.servers_for_peak is not None and found.servers_for_peak >= 1000
    if scale().is_timed:
        assert ours <= 2.0
