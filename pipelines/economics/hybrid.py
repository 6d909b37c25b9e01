"""Own the base, rent the peaks: the number of servers that serves an hourly load at least cost.

Floats only. Does not belong here: where the load or the prices come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.economics.guards import NOT_NEGATIVE, POSITIVE, guarded

# An excess over a whole machine that floats cannot tell from none needs no further machine.
ROUNDING = 1e-9


@dataclass(frozen=True)
class IntegerPlan:
    """The plan where rented machines are whole ones too, each as large as a server. Totals are USD over the whole profile."""

    servers: int
    usd_total: float
    owned_share: float
    rented_share: float
    rented_machine_hours: float
    own_only_usd_total: float
    rent_only_usd_total: float


@dataclass(frozen=True)
class HybridPlan:
    """The plan and its two extremes. Shares are of tokens; totals are USD over the whole profile.

    Rented capacity is paid by the fraction of a machine here; `integer` is the plan with whole machines in each hour.
    """

    servers: int
    usd_total: float
    owned_share: float
    rented_share: float
    own_only_usd_total: float
    rent_only_usd_total: float
    integer: IntegerPlan


def hybrid_plan(
    load_tokens_per_hour: Sequence[float] | np.ndarray,
    server_tokens_per_hour: float,
    owned_fixed_usd_per_hour: float,
    owned_variable_usd_per_hour: float,
    rented_usd_per_hour: float,
) -> HybridPlan:
    """Least-cost number of whole servers to own for an hourly load, renting the rest.

    Minimises sum_t [ n*F + V*min(x_t, n*T)/T + R*max(0, x_t - n*T)/T ] over whole n, exactly over the profile; `integer` minimises the
    same with R*ceil(max(0, x_t - n*T)/T), which is never less. The fewer servers win a tie.
    Raises ValueError for an empty profile, a negative or non-finite load or price, and a capacity that is not above 0.
    """
    load = np.asarray(load_tokens_per_hour, dtype=np.float64)
    if load.ndim != 1 or load.size == 0:
        raise ValueError(f"load_tokens_per_hour has shape {load.shape}, expected a list of at least one hour")
    bad = ~np.isfinite(load) | (load < 0)
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(f"load_tokens_per_hour is {load[at]!r} in hour {at}, expected a number of at least 0")
    plan: HybridPlan = guarded(
        lambda: _plan(load / server_tokens_per_hour, owned_fixed_usd_per_hour, owned_variable_usd_per_hour, rented_usd_per_hour),
        server_tokens_per_hour=(server_tokens_per_hour, POSITIVE),
        owned_fixed_usd_per_hour=(owned_fixed_usd_per_hour, NOT_NEGATIVE),
        owned_variable_usd_per_hour=(owned_variable_usd_per_hour, NOT_NEGATIVE),
        rented_usd_per_hour=(rented_usd_per_hour, NOT_NEGATIVE),
    )
    return plan


def _plan(load: np.ndarray, fixed: float, variable: float, rented: float) -> HybridPlan:
    # Load in servers. Sorted once, min(x, n) over all hours is a sum of the hours below n plus n for each hour above it.
    ordered = np.sort(load)
    cumulative = np.concatenate(([0.0], np.cumsum(ordered)))
    total = float(cumulative[-1])
    peak = math.ceil(float(ordered[-1]))
    counts = np.arange(peak + 1, dtype=np.float64)
    below = np.searchsorted(ordered, counts, side="right")
    owned = np.minimum(cumulative[below] + counts * (ordered.size - below), total)
    cost = ordered.size * fixed * counts + variable * owned + rented * (total - owned)
    best = int(np.argmin(cost))
    owned_share = float(owned[best]) / total if total > 0 else 0.0
    return HybridPlan(
        servers=best,
        usd_total=float(cost[best]),
        owned_share=owned_share,
        rented_share=1.0 - owned_share if total > 0 else 0.0,
        own_only_usd_total=float(cost[-1]),
        rent_only_usd_total=float(cost[0]),
        integer=_integer(ordered, counts, owned, fixed, variable, rented),
    )


def _integer(ordered: np.ndarray, counts: np.ndarray, owned: np.ndarray, fixed: float, variable: float, rented: float) -> IntegerPlan:
    # Beside n whole servers an hour needs ceil(x) - n rented ones, where that is above 0: the same sums, over whole numbers.
    needed = np.ceil(ordered - ROUNDING)
    cumulative = np.concatenate(([0.0], np.cumsum(needed)))
    covered = np.searchsorted(needed, counts, side="right")
    machine_hours = cumulative[-1] - cumulative[covered] - counts * (needed.size - covered)
    cost = ordered.size * fixed * counts + variable * owned + rented * machine_hours
    best, total = int(np.argmin(cost)), float(ordered.sum())
    owned_share = float(owned[best]) / total if total > 0 else 0.0
    return IntegerPlan(
        servers=best,
        usd_total=float(cost[best]),
        owned_share=owned_share,
        rented_share=1.0 - owned_share if total > 0 else 0.0,
        rented_machine_hours=float(machine_hours[best]),
        own_only_usd_total=float(cost[-1]),
        rent_only_usd_total=float(cost[0]),
    )
