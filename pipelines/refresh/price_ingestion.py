"""The pending batches of snapshots ingested into the price history of a session, and the record of it.

Belongs here: what a refresh records of the ingestion: quarantined rows, batches with the logic that judged them, sources that were set
aside. Does not belong here: validating and keeping prices (`pipelines.history`), Dagster (`pipelines.defs`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.catalogue.models import Model
from pipelines.history.ingestion import BatchResult, Ingestion
from pipelines.history.views import HistoryViews
from pipelines.quality.results import RuleResult
from pipelines.quality.table_rules import check_table
from pipelines.refresh.record import record_quarantine, record_results, source_statuses
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")


@dataclass(frozen=True)
class IngestedPrices:
    """New good observations, the number of new rows in quarantine, and all verdicts."""

    good: pl.DataFrame
    quarantined: int
    results: list[RuleResult]


def ingest_prices(session: RefreshSession, model: Model, inputs: Mapping[str, pl.LazyFrame]) -> IngestedPrices:
    """Ingest every pending batch. A source whose newest answer was set aside is stale; the others go on."""
    ingestion = Ingestion(session.store, session.catalogue, session.modules, model, inputs, session.logic_version, session.decisions)
    bad = 0

    def validate_batch(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
        # On record before the history goes on: after a kill it would not come to these rows again.
        nonlocal bad
        bad += record_quarantine(session, model.contract, quarantined, bad)
        return check_table(model.contract, new)

    with session.growing_history() as opened:

        def report(batch: BatchResult) -> None:
            rows = batch.sources.iter_rows(named=True)
            session.ops.append("ingested_batches", ({**row, "is_rebuild": opened.rebuilt_because is not None} for row in rows))
            for line in batch.rejected:
                log.warning("history %s: not used: %s", batch.as_of, line)
            if batch.as_of < session.as_of:
                log.info("history %s ingested", batch.as_of)

        if opened.rebuilt_because is not None:
            log.info("the price history is rebuilt and judged again: %s", opened.rebuilt_because)
        ingested = ingestion.ingest_batches(opened.engine, opened.pending, validate_batch, report)
        _mark_stale(session, opened.engine.views)
        record_results(session, model.contract.table, [_continued(opened.rebuilt_because)])
    return IngestedPrices(ingested.good, bad, ingested.results)


def _continued(rebuilt_because: str | None) -> RuleResult:
    passed = rebuilt_because in (None, "asked for")
    detail = "the history continues" if rebuilt_because is None else f"the history was rebuilt and judged again: {rebuilt_because}"
    return RuleResult("history_continues", "source", "warning", passed, int(not passed), 1, detail)


def _mark_stale(session: RefreshSession, views: HistoryViews) -> None:
    """A source whose newest answer was set aside carries on from an older one."""
    aside = views.newest_outcomes().filter(pl.col("batch_outcome") == "set_aside")
    why = dict(aside.select("source", pl.format("{}: {}", "as_of_on", "detail")).iter_rows())
    statuses = [row for row in source_statuses(session.ops) if row["source"] in why and row["status"] not in ("failed", "disabled")]
    session.ops.append("source_status", ({**row, "status": "stale", "detail": why[row["source"]]} for row in statuses))
    for row in statuses:
        log.warning("source %-28s set aside, %s", row["source"], why[row["source"]])
