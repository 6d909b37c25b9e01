"""Snapshots ingested into the history batch by batch, as the refreshes of their days did.

Belongs here: the fold over batches: each validated against what was known before it, then given to the history. Does not belong here:
one batch by itself (`judging`), which batches there are (`batches`), the history itself (`engine`), fetching, rules of whole tables.

A history is a fold over the batches in the order of their days, each validated against what the batches before it brought. So one
that grew by the day and one that is rebuilt from the snapshots are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.catalogue.models import AS_OF, FEED_PREFIX, INGESTED, REFERENCE_OBSERVATIONS, Model
from pipelines.history.availability import AVAILABILITY, statements_after
from pipelines.history.batches import CHECKPOINT, FEED, PendingBatch, SnapshotBatch
from pipelines.history.engine import HistoryEngine, needed_columns
from pipelines.history.judging import judge_batch, known_rows, read_batch, released_by
from pipelines.history.logic_version import source_version
from pipelines.history.shipped import CONFIRMED_LATER, SHIPPED_RELEASE, ShippedObservations, confirmed_by, end_of, shipped_rows
from pipelines.history.validation import SourceOutcome, too_large
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.prices.normalization import at_each_rate
from pipelines.quality.failing_rows import computed_without_failing_rows
from pipelines.quality.results import RuleResult, merged

# A batch holds its reference observations until it is applied: so many batches at a time come to the same as all.
_BATCHES_AT_ONCE = 20
# Rules of the whole table look at so many rows at a time, of several batches where these are small.
_ROWS_VALIDATED_AT_ONCE = 200_000
# Of a backfill so many rows, and the references of so many batches, are held until they are applied, however long and quiet it is.
_ROWS_APPLIED_AT_ONCE, _BATCHES_APPLIED_AT_ONCE = 100_000, 100
_ROWS_KEPT = 500_000
_RATES = "currency_rate"


@dataclass(frozen=True)
class BatchResult:
    """What one batch brought beside prices: snapshots that could not be used or were set aside, rows in quarantine, rows of
    `history.batch_source`.
    """

    as_of: date
    rejected: tuple[str, ...]
    quarantined: int
    sources: pl.DataFrame


@dataclass(frozen=True)
class IngestResult:
    """What several batches brought: new good observations (of many, the last), and all verdicts."""

    good: pl.DataFrame
    results: list[RuleResult]


@dataclass(frozen=True)
class _Validated:
    """One batch, validated.

    `new`: its good rows; `good`: those and known ones that are confirmed for longer, in the columns that the history needs; `reference`:
    the reference observations after it;
    `confirmed_later`: good rows of what ships, with `confirmed_until`: each day confirms them as far as it goes; `availability`: what was
    said by then of whether each series can be had.
    """

    new: pl.DataFrame
    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult]
    rejected: tuple[str, ...]
    reference: pl.DataFrame
    confirmed_later: pl.DataFrame
    availability: pl.DataFrame
    outcomes: tuple[SourceOutcome, ...] = ()
    # Rows of releases that ship and are new to a history that had begun without them.
    late_shipped: pl.DataFrame | None = None


class Ingestion:
    """Validates what batches bring, by the model of `staging.price_observation` and its rules, and applies it to a history.

    `tables`: what the model reads: the tables of the sources that ship, the references, the rates. `version`: of the logic
    (`logic_version`), recorded with each batch.
    """

    def __init__(
        self,
        snapshots: SnapshotStore,
        catalogue: Catalogue,
        modules: Mapping[str, SourceModule],
        normalize: Model,
        tables: Mapping[str, pl.LazyFrame],
        version: str,
        decisions: pl.DataFrame | None = None,
    ) -> None:
        self._snapshots, self._catalogue, self._modules, self._normalize = snapshots, catalogue, modules, normalize
        self._version, self._decisions = version, decisions
        self._shipped = ShippedObservations(shipped_rows(tables, modules, catalogue))
        # Read once: each batch joins with them.
        self._tables = {p: tables[p].collect().lazy() for p in normalize.parameters if p in tables}
        self._rates = self._tables[_RATES]

    def ingest_batches(
        self,
        engine: HistoryEngine,
        pending: Sequence[PendingBatch],
        validate_batch: Callable[[pl.DataFrame, pl.DataFrame], list[RuleResult]],
        report: Callable[[BatchResult], None] = lambda _: None,
    ) -> IngestResult:
        """Ingest each batch. Where a rule of the whole table blocks, it ends before: the history stays as it was, and the batch is pending.

        `validate_batch` is given new good rows and quarantined ones before they are applied: it gives the verdicts of rules of the whole
        table on the former.
        """
        news, results = deque([self._none()]), []
        for group in _batched(self._validated_ahead(engine, pending), _BATCHES_AT_ONCE, _ROWS_VALIDATED_AT_ONCE, lambda one: one.new):
            new = pl.concat([self._none(), *(validated.new for _, validated in group)])
            verdicts = validate_batch(new, pl.concat([validated.quarantined for _, validated in group]))
            results += [*(validated.results for _, validated in group), verdicts]
            if any(result.blocks for result in verdicts):
                break
            for one, validated in group:
                report(self._apply(engine, one, [validated]))
            news.append(new)
            while len(news) > 1 and sum(part.height for part in news) > _ROWS_KEPT:
                news.popleft()
        return IngestResult(pl.concat(news), merged(results))

    def replay(
        self, engine: HistoryEngine, pending: Sequence[PendingBatch], report: Callable[[BatchResult], None] = lambda _: None
    ) -> None:
        """Ingest each batch, held against row rules alone."""
        for one, validated in self._validated_ahead(engine, pending):
            report(self._apply(engine, one, [validated]))

    def replay_at_once(
        self, engine: HistoryEngine, pending: Sequence[PendingBatch], report: Callable[[BatchResult], None] = lambda _: None
    ) -> None:
        """Validate batch by batch, apply many as one batch of the day of the last of them: as many as have so many rows."""
        for group in _batched(
            self._validated_ahead(engine, pending), _BATCHES_APPLIED_AT_ONCE, _ROWS_APPLIED_AT_ONCE, lambda one: one.good
        ):
            report(self._apply(engine, group[-1][0], [validated for _, validated in group]))

    def _validated_ahead(self, engine: HistoryEngine, pending: Sequence[PendingBatch]) -> Iterator[tuple[PendingBatch, _Validated]]:
        """Each batch, validated; the next is read and validated while the history applies the last."""
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._validate, pending[0].batch, engine.views.as_of, self._before(engine))
            for one, after in zip(pending, [*pending[1:], None], strict=True):
                validated = upcoming.result()
                if after is not None:
                    upcoming = pool.submit(self._validate, after.batch, one.batch.as_of, validated)
                yield one, validated

    def _none(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self._catalogue.tables[INGESTED].polars_schema())

    def _before(self, engine: HistoryEngine) -> _Validated:
        none, views = self._none(), engine.views
        confirmed, said = views.checkpoint(CONFIRMED_LATER), views.checkpoint(AVAILABILITY)
        late = None if views.as_of is None else self._shipped.late(views, views.as_of)
        return _Validated(none, none, none, [], (), views.reference_observations(), confirmed, said, late_shipped=late)

    def _validate(self, batch: SnapshotBatch, before: date | None, last: _Validated) -> _Validated:
        """What became known by this batch and was not on the day `before`, validated against what was known until then."""
        read, known = read_batch(batch, self._modules, self._catalogue, self._snapshots), known_rows(last.reference)
        oversized = [o for name, rows in read.row_counts.items() if (o := too_large(name, rows, known.get(name, 0))) is not None]
        dropped = {outcome.source for outcome in oversized}
        end = end_of(batch.as_of)
        since = end_of(before) if before is not None else datetime.min
        shipped = self._shipped.known_since(since)
        late = shipped.clear() if last.late_shipped is None else last.late_shipped
        own = [rows.select(shipped.columns) for name, rows in read.rows.items() if name not in dropped]
        observed = pl.concat([late.lazy(), shipped.lazy(), *own]).filter(pl.col("known_from") < end).collect(engine="in-memory")
        contract = self._catalogue.tables[INGESTED]
        computed = computed_without_failing_rows(observed, lambda rows: self._normalized(rows, batch.as_of, last.reference))
        judged = judge_batch(contract, computed, last.reference, oversized, released_by(self._decisions, end, contract))
        again = last.confirmed_later.filter(pl.col("confirmed_until") >= since)
        needed = needed_columns(self._catalogue)
        # Of what is confirmed further, the price that runs into this batch, and those at the rates since.
        further = at_each_rate(confirmed_by(again, end).select(needed), self._rates).filter(pl.col("last_confirmed_at") >= since)
        good = pl.concat([at_each_rate(judged.good.select(needed), self._rates), further])
        new = self._shipped.with_confirmation(judged.good).select(again.columns)
        heard = observed.filter(~pl.col("source").is_in(judged.set_aside))
        answers = [answer for name, answer in read.answers.items() if name not in judged.set_aside]
        return _Validated(
            judged.good,
            good,
            judged.quarantined,
            judged.results,
            (*read.rejected, *(f"{o.source}: set aside: {o.set_aside_because}" for o in judged.outcomes if o.set_aside_because)),
            judged.reference,
            pl.concat([again, new]),
            statements_after(last.availability, heard, answers, judged.reference, batch.as_of),
            judged.outcomes,
        )

    def _normalized(self, observed: pl.DataFrame, as_of: date, reference: pl.DataFrame) -> pl.DataFrame:
        assert self._normalize.function is not None
        priced = self._normalize.function(
            **{FEED_PREFIX + FEED: observed.lazy()}, **self._tables, **{AS_OF: as_of, REFERENCE_OBSERVATIONS: reference.lazy()}
        ).collect(engine="in-memory")
        self._catalogue.tables[INGESTED].conform(priced.lazy())
        return priced

    def _apply(self, engine: HistoryEngine, pending: PendingBatch, validated: Sequence[_Validated]) -> BatchResult:
        as_of = pending.batch.as_of
        aside = {o.source for part in validated for o in part.outcomes if o.set_aside_because is not None}
        checkpoint = {
            CHECKPOINT: pending.checkpoint(),
            SHIPPED_RELEASE: self._shipped.releases(sorted(aside)),
            AVAILABILITY: validated[-1].availability,
            CONFIRMED_LATER: validated[-1].confirmed_later.filter(pl.col("confirmed_until") >= end_of(as_of)),
        }
        sources = self._batch_sources(pending, [outcome for part in validated for outcome in part.outcomes])
        good = pl.concat([part.good for part in validated])
        engine.apply(good, as_of, validated[-1].reference, checkpoint, sources)
        rejected = tuple(line for part in validated for line in part.rejected)
        return BatchResult(as_of, rejected, sum(part.quarantined.height for part in validated), sources)

    def _batch_sources(self, pending: PendingBatch, outcomes: Sequence[SourceOutcome]) -> pl.DataFrame:
        schema = self._catalogue.tables["batch_source"].polars_schema()
        rows = [
            {
                "as_of_on": pending.batch.as_of,
                "batch_number": pending.number,
                "source": outcome.source,
                "logic_version": self._version,
                "source_version": source_version(self._modules[outcome.source], self._catalogue),
                "batch_outcome": "ingested" if outcome.set_aside_because is None else "set_aside",
                "detail": outcome.set_aside_because,
                "row_count": outcome.rows,
                "quarantined_count": outcome.quarantined,
            }
            for outcome in outcomes
        ]
        found = pl.DataFrame(rows, schema=schema, orient="row")
        return found.unique(["as_of_on", "batch_number", "source"], keep="last", maintain_order=True).sort("source")


def _batched(
    validated: Iterable[tuple[PendingBatch, _Validated]], batches: int, rows: int, counted: Callable[[_Validated], pl.DataFrame]
) -> Iterator[list[tuple[PendingBatch, _Validated]]]:
    """Batches in groups of at most so many, each ended by the batch with which its `counted` rows are so many."""
    waiting: list[tuple[PendingBatch, _Validated]] = []
    for one in validated:
        waiting.append(one)
        if len(waiting) == batches or sum(counted(w).height for _, w in waiting) >= rows:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
