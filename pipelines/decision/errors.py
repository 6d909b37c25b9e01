"""How far rates that nobody measured lie from measured ones, each left out in turn.

Belongs here: errors of the estimate, of carrying between lengths, of interpolating between concurrencies, over all measured rows. Does not
belong here: the methods (`estimate`, `rates`, `system`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np

from pipelines.decision.estimate import level_of
from pipelines.decision.facts import read_facts
from pipelines.decision.rates import by_system, left_out, mover, runs, within
from pipelines.publication.reader import rows

# First token and each further one, as in the workloads of the marts.
LIMITS = (2.0, 0.05)
_SWEEPS = """
SELECT list(concurrency ORDER BY concurrency) AS at_a_time, list(rate ORDER BY concurrency) AS rates
FROM (
    SELECT model, gpu, precision, gpu_count, engine, engine_version, input_tokens, output_tokens, concurrency,
           max(output_tokens_per_second) AS rate
    FROM marts.throughput
    WHERE scenario IS NULL AND confidence <> 'low' AND concurrency > 0 AND NOT is_disaggregated AND known_from::DATE <= $as_of
    GROUP BY ALL
)
GROUP BY model, gpu, precision, gpu_count, engine, engine_version, input_tokens, output_tokens
HAVING count(*) >= 3
ORDER BY ALL
"""


@dataclass(frozen=True)
class RateError:
    """One method over some rows. Errors are factors less one, to either side: half of the rows lie within `half_within`."""

    method: str
    scope: str
    rows: int
    half_within: float | None
    four_of_five_within: float | None
    worst: float | None


def rate_errors(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[RateError]:
    """All of them, by model and over all."""
    facts = read_facts(connection)
    found = []
    measured = runs(connection, as_of, facts)
    misses = level_of(measured).misses
    found += [_error("estimate, model left out", name, misses[name]) for name in sorted(misses)]
    found.append(_error("estimate, model left out", "all models", [m for of_model in misses.values() for m in of_model]))
    every = list[float]()
    for name in sorted(facts.models):
        pairs = left_out(by_system(within(connection, name, LIMITS, as_of)), mover(name, LIMITS, facts))
        carried = [abs(math.log(there / here)) for there, here in pairs]
        every += carried
        if carried:
            found.append(_error("carried between lengths", name, carried))
    found.append(_error("carried between lengths", "all models", every))
    swept = [m for r in rows(connection, _SWEEPS, {"as_of": as_of}) for m in _sweep_misses(r)]
    found.append(_error("between concurrencies", "all sweeps", swept))
    return found


def _sweep_misses(row: dict[str, Any]) -> list[float]:
    """Inner points of a sweep by the straight line between their neighbours."""
    at, rates = row["at_a_time"], row["rates"]
    inner = range(1, len(at) - 1)
    return [abs(math.log(float(np.interp(at[i], [at[i - 1], at[i + 1]], [rates[i - 1], rates[i + 1]])) / rates[i])) for i in inner]


def _error(method: str, scope: str, misses: Sequence[float]) -> RateError:
    if not misses:
        return RateError(method, scope, 0, None, None, None)
    half, most, worst = (math.exp(float(np.quantile(misses, share))) - 1 for share in (0.5, 0.8, 1.0))
    return RateError(method, scope, len(misses), half, most, worst)
