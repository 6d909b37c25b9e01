"""Comparisons and sweeps in plain text.

Belongs here: their tables. Does not belong here: one answer's report (`sections`), any figure that `comparing` did not compute.
"""

from __future__ import annotations

from typing import Any

from pipelines.decision.comparing import Comparison
from pipelines.decision.report.sections import amount, figure
from pipelines.decision.report.text import table
from pipelines.decision.workload import Workload


def comparison_as_text(workload: Workload, found: Comparison) -> str:
    """What is said now, what was said then, and which inputs alone make the difference."""
    turned = (
        f"The answer turned: {found.then or 'nothing'} then, {found.now or 'nothing'} now." if found.turned else "The answer is the same."
    )
    ways = [
        {
            "kind": c.kind,
            f"{found.then_label}, USD": "-" if c.then_usd is None else amount(c.then_usd),
            f"{found.now_label}, USD": "-" if c.now_usd is None else amount(c.now_usd),
            "changed": "-" if c.then_usd is None or c.now_usd is None else f"{c.now_usd / c.then_usd - 1:+.0%}",
            "now": c.now_title or "-",
        }
        for c in found.changes
    ]
    causes = [
        {"only this is new": n, "then best is": k or "nothing", "USD": "-" if usd is None else amount(usd)} for n, k, usd in found.causes
    ]
    return f"{workload.name}: {found.then_label} against {found.now_label}\n{turned}\n\n{table(ways)}\n\n{table(causes)}"


def sweep_as_text(found: dict[str, list[dict[str, Any]]]) -> str:
    """One table for each workload."""
    parts = []
    for name, points in found.items():
        shown = [
            {
                "tokens a day": f"{p['tokens_per_day']:.3g}",
                "cheapest": p["way"] or "nothing",
                "USD": "-" if p["cost_usd"] is None else amount(p["cost_usd"]),
                "USD a million": "-" if p["usd_per_million"] is None else figure(p["usd_per_million"]),
                "next": p["next_kind"] or "-",
                "costs times": "-" if p["next_costs_times"] is None else f"{p['next_costs_times']:.2f}",
            }
            for p in points
        ]
        parts.append(f"{name}\n{table(shown)}")
    return "\n\n".join(parts)
