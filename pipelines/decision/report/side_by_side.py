"""Comparisons and sweeps in plain text.

Belongs here: their tables. Does not belong here: one answer's report (`sections`), any figure that `comparing` did not compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.decision.comparing import Comparison
from pipelines.decision.report.speech import Speech, speech
from pipelines.decision.report.text import table
from pipelines.decision.workload import Workload


def comparison_as_text(workload: Workload, found: Comparison, language: str = "en") -> str:
    """What is said now, what was said then, and which inputs alone make the difference."""
    t, money = speech(language), workload.currency

    def kind(name: str | None) -> str:
        return t("nothing") if name is None else t.kind(name)

    turned = t("The answer is the same.")
    if found.turned:
        turned = t("The answer turned: {then} then, {now} now.", then=kind(found.then), now=kind(found.now))
    ways = [
        {
            t("kind"): t.kind(c.kind),
            f"{found.then_label}, {money}": "-" if c.then_cost is None else t.amount(c.then_cost),
            f"{found.now_label}, {money}": "-" if c.now_cost is None else t.amount(c.now_cost),
            t("changed"): "-" if c.then_cost is None or c.now_cost is None else _signed(c.now_cost / c.then_cost - 1, t),
            t("now"): "-" if c.now_title is None else t.of(c.now_title),
        }
        for c in found.changes
    ]
    causes = [
        {t("only this is new"): t(n), t("then best is"): kind(k), money: "-" if cost is None else t.amount(cost)}
        for n, k, cost in found.causes
    ]
    head = t("{name}: {then} against {now}", name=workload.name, then=found.then_label, now=found.now_label)
    return f"{head}\n{turned}\n\n{table(ways)}\n\n{table(causes)}"


def _signed(change: float, t: Speech) -> str:
    return ("+" if change >= 0 else "") + t.share(change)


def sweep_as_text(found: Sequence[tuple[Workload, list[dict[str, Any]]]], language: str = "en") -> str:
    """One table for each workload."""
    parts, t = [], speech(language)
    for workload, points in found:
        money = workload.currency
        shown = [
            {
                t("tokens a day"): t.number(f"{p['tokens_per_day']:.3g}"),
                t("cheapest"): t("nothing") if p["way"] is None else t.of(p["way"]),
                money: "-" if p["cost"] is None else t.amount(p["cost"]),
                t("{money} a million", money=money): "-" if p["per_million"] is None else t.figure(p["per_million"]),
                t("next"): "-" if p["next_kind"] is None else t.kind(p["next_kind"]),
                t("costs times"): "-" if p["next_costs_times"] is None else t.number(f"{p['next_costs_times']:.2f}"),
            }
            for p in points
        ]
        parts.append(f"{workload.name}\n{table(shown)}")
    return "\n\n".join(parts)
