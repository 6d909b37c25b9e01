"""Answers side by side: another day or version, a range of loads, several workloads on shared servers.

Pure. Belongs here: what differs between answers and which inputs make it so. Does not belong here: one answer (`plan`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.decision.documents import WorkloadError
from pipelines.decision.load_file import HOURS_PER_DAY
from pipelines.decision.market import Market
from pipelines.decision.plan import Apart, Decision, decide
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
    """One kind of way then and now, over the horizon in the workload's currency; None where it was not there."""

    kind: str
    then_title: str | None
    then_cost: float | None
    now_title: str | None
    now_cost: float | None


@dataclass(frozen=True)
class Comparison:
    """Two answers to one workload; `causes`: recommendation and cost where only one group of inputs is that of now.

    Each cost passes the exchange rate of its own answer.
    """

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
        return (None, None) if option is None else (option.title, option.cost_usd[years]["base"] / decision.usd_per_unit)

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
    """The cheapest way at each of some loads (counted tokens a day), from the least to the most, evenly in powers of ten.

    Costs are in the workload's currency.
    """
    mean = float(load.mean()) * HOURS_PER_DAY
    found = []
    for tokens in np.geomspace(least, most, points):
        decision = decide(workload, load * (tokens / mean), market, draws=1)
        best, second = (decision.options[n] if len(decision.options) > n else None for n in (0, 1))
        years, by = workload.horizon_years, decision.usd_per_unit
        found.append(
            {
                "tokens_per_day": float(tokens),
                "kind": best.kind if best else None,
                "way": best.title if best else None,
                "cost": best.cost_usd[years]["base"] / by if best and best.cost_usd[years] else None,  # type: ignore[index]
                "per_million": best.usd_per_million_output_tokens / by if best else None,
                "next_kind": second.kind if second else None,
                "next_costs_times": second.usd_per_million_output_tokens / best.usd_per_million_output_tokens if best and second else None,
            }
        )
    return found


def portfolio(workloads: Sequence[tuple[Workload, np.ndarray]]) -> tuple[Workload, np.ndarray]:
    """Several workloads on shared machines: their loads added, hour by hour. Raises WorkloadError where they ask for different things."""
    (first, load), *rest = workloads
    for other, hours in rest:
        asked, meant = _must_be_the_same(other), _must_be_the_same(first)
        for field in sorted(asked.keys() | meant.keys()):
            if asked.get(field) != meant.get(field):
                raise WorkloadError(
                    f"{field} of {other.name!r} is {asked.get(field)!r}, that of {first.name!r} {meant.get(field)!r}; "
                    "expected the same where machines are shared"
                )
        load = load + hours
    shapes = {workload.load.shape for workload, _ in workloads}
    a_day = float(load.mean()) * HOURS_PER_DAY
    of_all = {"csv": None, "shape": shapes.pop() if len(shapes) == 1 else None, f"{first.token_kind}_tokens_per_day": a_day}
    names = " + ".join(workload.name for workload, _ in workloads)
    return first.model_copy(update={"name": names, "load": first.load.model_copy(update=of_all)}), load


def with_answers_apart(shared: Decision, workloads: Sequence[tuple[Workload, np.ndarray]]) -> Decision:
    """The answer to a portfolio with those to its workloads on machines of their own, from the same market: they ask for the same."""
    found = []
    for workload, load in workloads:
        best = decide(workload, load, shared.market, draws=1).best
        cost = best.cost_usd[workload.horizon_years] if best else None
        if best is None or cost is None:
            found.append(Apart(workload.name, None, None, None, None))
        else:
            found.append(Apart(workload.name, best.kind, best.title, cost["base"], best.capital_usd))
    return replace(shared, apart=tuple(found))


def _must_be_the_same(workload: Workload) -> dict[str, Any]:
    """All that is asked but the name and the hours, by field. A load of the shape `growing` goes on growing, and no other does."""
    load = {"growth_per_year": workload.load.growth_per_year, "shape": "growing" if workload.load.shape == "growing" else "another"}
    return _by_field({**workload.model_dump(mode="json", exclude={"name", "load"}), "load": load})


def _by_field(value: Any, field: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {field: value}
    return {place: v for name, part in value.items() for place, v in _by_field(part, f"{field}.{name}".lstrip(".")).items()}
