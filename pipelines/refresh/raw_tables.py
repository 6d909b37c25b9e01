"""A raw table: the good snapshots of its sources, read, judged, recorded and written.

Belongs here: one raw table of a session, and the status of each of its sources. Does not belong here: fetching and parsing
(`pipelines.ingest`), rules (`pipelines.quality`), Dagster (`pipelines.defs`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.ingest.parse import RawTable, read_source
from pipelines.ingest.registry import SourceModule
from pipelines.quality.results import RuleResult, merged
from pipelines.quality.source_rules import PARTIAL_RULES, unusable_snapshot
from pipelines.refresh.record import record_quarantine, record_results
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")

# Status of a source and, where it is not well, why.
State = tuple[str, str | None]


@dataclass(frozen=True)
class RawBuilt:
    """A raw table that was written: its rows, the state of each source, all verdicts, and why nothing may be computed from it."""

    rows: int
    states: Mapping[str, State]
    results: list[RuleResult]
    unusable: list[str]


def build_raw_table(contract: Contract, sources: Iterable[SourceModule], session: RefreshSession) -> RawBuilt:
    """Read the snapshots of the sources of one raw table, record their status and verdicts, and write the table."""
    frames, results = [pl.DataFrame(schema=contract.polars_schema())], []
    states: dict[str, State] = {}
    unusable: list[str] = []
    quarantined = 0
    for module in sources:
        table = read_source(module, contract, session.catalogue, session.store, session.as_of)
        states[module.name] = _state(table, module, session)
        found = [*table.results, *(unusable_snapshot(why) for _, why in table.rejections[-1:])]
        counts = {"broken_rule_count": sum(not r.passed for r in found), "quarantined_row_count": table.quarantined.height}
        session.ops.append("source_status", [_status_row(table, contract, module, session, states[module.name]) | counts])
        results.append([replace(r, detail=f"{module.name}: {r.detail}") for r in found] if module.shares_table else found)
        # A row is put aside once: by the refresh that fetched it.
        if table.last_good is not None and table.last_good.run_id == session.run_id:
            record_quarantine(session, contract, table.quarantined, quarantined)
            quarantined += table.quarantined.height
        for _, why in table.rejections[-1:]:
            log.warning("source %-28s snapshot not used: %s", module.name, why)
        if contract.bundled and not table.used:
            # A curated table is ours: what is wrong in it is mended here, and nothing is computed from the lack of it.
            unusable.append(f"{contract.table}: {'; '.join(why for _, why in table.rejections) or 'never ingested'}")
        frames.append(table.frame)
    verdicts = merged(results)
    record_results(session, contract.table, verdicts)
    rows = session.warehouse.write(contract, pl.concat(frames))
    return RawBuilt(rows, states, verdicts, unusable)


def _state(table: RawTable, module: SourceModule, session: RefreshSession) -> State:
    outcome = session.fetch_outcomes.get(module.name, {})
    fetched = outcome.get("status", "not_tried")
    detail = outcome.get("detail") if outcome else "this run fetched nothing"
    own = [why for fetch, why in table.rejections if fetch.run_id == session.run_id]
    bundled_rejected = [why for _, why in table.rejections] if fetched == "ok" and not table.used else []
    if own or bundled_rejected:
        return ("stale" if table.used else "failed"), (own or bundled_rejected)[-1]
    if fetched == "failed" and table.used:
        return "stale", detail
    lacking = [r.detail for r in table.results if r.rule in PARTIAL_RULES and not r.passed]
    if fetched == "ok" and lacking:
        return "partial", lacking[0]
    return fetched, detail


def _status_row(table: RawTable, contract: Contract, module: SourceModule, session: RefreshSession, state: State) -> dict[str, Any]:
    status, detail = state
    outcome = session.fetch_outcomes.get(module.name, {})
    return {
        "source": module.name,
        "status": status,
        "detail": detail,
        "is_bundled": module.source.is_bundled,
        "last_good_fetch_at": table.last_good.fetched_at if table.last_good else None,
        "newest_figure_on": table.newest_figure_on(contract, session.as_of),
        "row_count": table.frame.height,
        "figure_count": table.figure_count,
        **{k: outcome.get(k) for k in ("fetch_seconds", "payload_count", "byte_count")},
    }
