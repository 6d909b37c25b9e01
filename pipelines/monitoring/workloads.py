"""Workloads whose answers are watched, decided anew on what is published.

Belongs here: the answer of each file, or why there is none. Does not belong here: whether it turned (`events`), telling (`watch`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from pipelines.monitoring.events import WatchedAnswer
from pipelines.platform.paths import working_folder


def answers_of(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> tuple[Mapping[str, WatchedAnswer], Mapping[str, str]]:
    """By file: what is recommended today; and why nothing is, where a file or the version cannot be read for it."""
    from pipelines import decision  # noqa: PLC0415  (only where something is watched)

    found, unanswered = dict[str, WatchedAnswer](), dict[str, str]()
    for path in paths:
        try:
            workload, load = decision.load_workload(working_folder() / path)
            answer = decision.decide(workload, load, decision.read_market(connection, workload))
        except decision.WorkloadError as error:
            unanswered[str(path)] = str(error)
            continue
        best = answer.best
        found[str(path)] = WatchedAnswer(
            workload.name,
            None if best is None else best.kind,
            None if best is None else str(best.title),
            answer.robustness.verdict.word,
            answer.market.as_of,
        )
    return found, unanswered
