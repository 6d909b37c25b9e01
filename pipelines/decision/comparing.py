"""Answers side by side: another day or version, a range of loads, several workloads on shared servers.

Pure. Belongs here: what differs between answers and which inputs make it so. Does not belong here: one answer (`plan`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.decision.documents import WorkloadError
from pipelines.decision.market import Market
from pipelines.decision.plan import decide
from pipelines.decision.workload import Workload

# What is exchanged at a time to see which inputs turned an answer.
GROUPS: dict[str, tuple[str, ...]] = {
    "rented prices": ("offers", "drift"),
    "prices of tokens": ("api_offers",),
    "server prices": ("servers",),
    "rates": ("measurements",),
    "assumptions": ("assumptions",),
    "electricity": ("electricity",),
    "exchange rate": ("usd_per_eur", "fx_on"),
    "facts about sellers and devices": ("headquarters", "certified", "gpu_memory_gb"),
}
SWEEP_POINTS = 13


@dataclass(frozen=True)
class Change:
    """One kind of way then and now, in USD over the horizon; None where it was not there."""

    kind: str
    then_title: str | None
    then_usd: float | None
    now_title: str | None
    now_usd: float | None


@dataclass(frozen=True)
class Comparison:
    """Two answers to one workload; `causes`: recommendation and cost where only one group of inputs is that of now."""

    then_label: str
    now_label: str
    then: str | None
    now: str | None
    changes: list[Change]
    causes: list[tuple[str, str | None, float | None]]

    @property
    def turned(self) -> bool:
        """Whether another kind of way is recommended."""
        return self.then != self.now


def compare(workload: Workload, load: np.ndarray, then: Market, now: Market, labels: tuple[str, str]) -> Comparison:
    """What changed between two markets, and which group of inputs alone makes the old answer the new one."""
    before, after = (decide(workload, load, market, draws=1) for market in (then, now))
    years = workload.horizon_years
    kinds = dict.fromkeys(o.kind for o in (*after.options, *before.options))

    def of(decision: Any, kind: str) -> tuple[str | None, float | None]:
        option = next((o for o in decision.options if o.kind == kind), None)
        return (None, None) if option is None else (option.title, option.cost_usd[years]["base"])

    causes = []
    for name, fields in GROUPS.items():
        mixed = decide(workload, load, replace(then, **{f: getattr(now, f) for f in fields}), draws=1)
        causes.append((name, mixed.best.kind if mixed.best else None, of(mixed, mixed.best.kind)[1] if mixed.best else None))
    return Comparison(
        labels[0],
        labels[1],
        before.best.kind if before.best else None,
        after.best.kind if after.best else None,
        [Change(kind, *of(before, kind), *of(after, kind)) for kind in kinds],
        causes,
    )


def sweep(
    workload: Workload, load: np.ndarray, market: Market, least: float, most: float, points: int = SWEEP_POINTS
) -> list[dict[str, Any]]:
    """The cheapest way at each of some loads (counted tokens a day), from the least to the most, evenly in powers of ten."""
    mean = float(load.mean()) * 24
    found = []
    for tokens in np.geomspace(least, most, points):
        decision = decide(workload, load * (tokens / mean), market, draws=1)
        best, second = (decision.options[n] if len(decision.options) > n else None for n in (0, 1))
        years = workload.horizon_years
        found.append(
            {
                "tokens_per_day": float(tokens),
                "kind": best.kind if best else None,
                "way": best.title if best else None,
                "cost_usd": best.cost_usd[years]["base"] if best and best.cost_usd[years] else None,  # type: ignore[index]
                "usd_per_million": best.usd_per_million_output_tokens if best else None,
                "next_kind": second.kind if second else None,
                "next_costs_times": second.usd_per_million_output_tokens / best.usd_per_million_output_tokens if best and second else None,
            }
        )
    return found


def portfolio(workloads: Sequence[tuple[Workload, np.ndarray]]) -> tuple[Workload, np.ndarray]:
    """Several workloads on shared machines: their loads added, hour by hour. Raises WorkloadError where they ask for different things."""
    (first, load), *rest = workloads
    same = (
        "model",
        "precisions",
        "tokens",
        "objective",
        "horizon_years",
        "currency",
        "electricity_area",
        "constraints",
        "site",
        "resilience",
    )
    for other, hours in rest:
        for name in same:
            if getattr(other, name) != getattr(first, name):
                raise WorkloadError(f"{name} of {other.name!r} is not that of {first.name!r}, expected the same where machines are shared")
        if other.load.growth_per_year != first.load.growth_per_year:
            raise WorkloadError(f"load.growth_per_year of {other.name!r} is not that of {first.name!r}, expected the same")
        load = load + hours
    return first.model_copy(update={"name": " + ".join(w.name for w, _ in workloads)}), load
