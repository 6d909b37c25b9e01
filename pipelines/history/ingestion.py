"""Snapshots ingested into the history batch by batch, as the refreshes of their days did.

Belongs here: reading a batch, validating its observations against what was known before, giving them to the history. Does not belong
here: which batches there are (`batches`), the history itself (`engine`), fetching, rules of whole tables.

A history is a fold over the batches in the order of their days, each validated against what the batches before it brought. So one
that grew by the day and one that is rebuilt from the snapshots are the same.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.catalogue.models import AS_OF, FEED_PREFIX, INGESTED, REFERENCE_OBSERVATIONS, Model
from pipelines.history.batches import CHECKPOINT, FEED, PendingBatch, SnapshotBatch, price_services
from pipelines.history.engine import HistoryEngine, needed_columns, reference_after
from pipelines.history.series import series_key
from pipelines.ingest.parse import RawRejectedError, read_fetch, unite_feed, with_facts
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.quality.results import RuleResult, merged
from pipelines.quality.row_rules import check_rows

# A batch holds its reference observations until it is applied: so many batches at a time come to the same as all.
_BATCHES_AT_ONCE = 20
# Rules of the whole table look at so many rows at a time, of several batches where these are small.
_ROWS_VALIDATED_AT_ONCE = 200_000
_ROWS_KEPT = 500_000
_CONFIRMED_LATER = "confirmed_later"


class BatchRejectedError(Exception):
    """A rule blocks a batch in a replay, where nobody is there to see the verdict; the message names day and rule."""


@dataclass(frozen=True)
class BatchResult:
    """What one batch brought beside prices: snapshots that could not be used, rows in quarantine."""

    as_of: date
    rejected: tuple[str, ...]
    quarantined: int


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
    `confirmed_later`: good rows of what ships, with `confirmed_until`: each day confirms them as far as it goes.
    """

    new: pl.DataFrame
    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult]
    rejected: tuple[str, ...]
    reference: pl.DataFrame
    confirmed_later: pl.DataFrame

    @property
    def blocks(self) -> bool:
        return any(result.blocks for result in self.results)


class Ingestion:
    """Validates what batches bring, by the model of `staging.price_observation` and its rules, and applies it to a history.

    `tables`: what the model reads: the tables of the sources that ship, the references, the rates.
    """

    def __init__(
        self,
        snapshots: SnapshotStore,
        catalogue: Catalogue,
        modules: Mapping[str, SourceModule],
        normalize: Model,
        tables: Mapping[str, pl.LazyFrame],
    ) -> None:
        self._snapshots, self._catalogue, self._modules, self._normalize = snapshots, catalogue, modules, normalize
        services = price_services(catalogue, modules)
        fetched = {module.table for module in services.values()}
        shipped = {c.name: tables[c.name] for c in catalogue.fed_by(FEED) if c.name not in fetched}
        self._shipped = unite_feed(FEED, shipped, modules, catalogue).collect()
        self._confirmation = ["source", *series_key(), "first_seen_at"]
        self._last_confirmed = self._shipped.group_by(self._confirmation).agg(confirmed_until=pl.col("last_confirmed_at").max())
        # Read once: each batch joins with them.
        self._tables = {p: tables[p].collect().lazy() for p in normalize.parameters if p in tables}

    def ingest_batches(
        self,
        engine: HistoryEngine,
        pending: Sequence[PendingBatch],
        validate_batch: Callable[[pl.DataFrame, pl.DataFrame], list[RuleResult]],
        report: Callable[[BatchResult], None] = lambda _: None,
    ) -> IngestResult:
        """Ingest each batch. Before one with a blocking verdict it ends: the history stays as it was, and the batch is still pending.

        `validate_batch` is given new good rows and quarantined ones before they are applied: it gives the verdicts of rules of the whole
        table on the former.
        """
        news, results = deque([self._none()]), []
        for group in _batched(self._validated_ahead(engine, pending)):
            good = [(one, validated) for one, validated in group if not validated.blocks]
            new = pl.concat([self._none(), *(validated.new for _, validated in good)])
            verdicts = validate_batch(new, pl.concat([validated.quarantined for _, validated in group]))
            results += [*(validated.results for _, validated in group), verdicts]
            if any(result.blocks for result in verdicts):
                break
            for one, validated in good:
                report(self._apply(engine, one, [validated]))
            news.append(new)
            while len(news) > 1 and sum(part.height for part in news) > _ROWS_KEPT:
                news.popleft()
        return IngestResult(pl.concat(news), merged(results))

    def replay(
        self, engine: HistoryEngine, pending: Sequence[PendingBatch], report: Callable[[BatchResult], None] = lambda _: None
    ) -> None:
        """Ingest each batch, held against row rules alone. Raises BatchRejectedError before one with a blocking verdict."""
        for one, validated in self._validated_ahead(engine, pending):
            report(self._apply(engine, one, [_accepted(one.batch, validated)]))

    def replay_at_once(self, engine: HistoryEngine, pending: Sequence[PendingBatch]) -> BatchResult:
        """All batches as one of the day of the last of them. Raises BatchRejectedError where a verdict blocks."""
        last, since, parts = self._before(engine), engine.views.as_of, []
        for start in range(0, len(pending), _BATCHES_AT_ONCE):
            batches = [one.batch for one in pending[start : start + _BATCHES_AT_ONCE]]
            last = _accepted(batches[-1], self._validate(batches, since, last))
            since = batches[-1].as_of
            parts.append(last)
        return self._apply(engine, pending[-1], parts)

    def _validated_ahead(self, engine: HistoryEngine, pending: Sequence[PendingBatch]) -> Iterator[tuple[PendingBatch, _Validated]]:
        """Each batch, validated; the next is read and validated while the history applies the last. Ends after one that blocks."""
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._validate, [pending[0].batch], engine.views.as_of, self._before(engine))
            for one, after in zip(pending, [*pending[1:], None], strict=True):
                validated = upcoming.result()
                if after is not None and not validated.blocks:
                    upcoming = pool.submit(self._validate, [after.batch], one.batch.as_of, validated)
                yield one, validated
                if validated.blocks:
                    return

    def _none(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self._catalogue.tables[INGESTED].polars_schema())

    def _before(self, engine: HistoryEngine) -> _Validated:
        none = self._none()
        confirmed = engine.views.checkpoint(_CONFIRMED_LATER)
        return _Validated(none, none, none, [], (), engine.views.reference_observations(), confirmed)

    def _read(self, batches: Sequence[SnapshotBatch]) -> tuple[pl.DataFrame, tuple[str, ...]]:
        fed: dict[str, list[pl.DataFrame]] = defaultdict(list)
        rejected = []
        for fetch in (f for batch in batches for f in batch.fetches):
            try:
                module = self._modules[fetch.source]
                read = read_fetch(fetch, module, self._catalogue.tables[module.table], self._catalogue, self._snapshots)
            except RawRejectedError as error:
                rejected.append(f"{fetch.source} {fetch.fetched_at}: {error}")
            else:
                assert read.fed is not None
                fed[fetch.source].append(read.fed)
        schema = self._shipped.schema
        parts = [with_facts(pl.concat(own).lazy(), self._modules[name], FEED).select(schema.names()) for name, own in fed.items()]
        return pl.concat([self._shipped.clear().lazy(), *parts]).collect(engine="in-memory"), tuple(rejected)

    def _validate(self, batches: Sequence[SnapshotBatch], before: date | None, last: _Validated) -> _Validated:
        """What became known by these batches and was not on the day `before`, validated against what was known until then."""
        assert self._normalize.function is not None
        fetched, rejected = self._read(batches)
        as_of = batches[-1].as_of
        end = _end_of(as_of)
        since = _end_of(before) if before is not None else datetime.min
        shipped = self._shipped.filter(pl.col("known_from") >= since)
        priced = self._normalize.function(
            **{FEED_PREFIX + FEED: pl.concat([shipped, fetched]).filter(pl.col("known_from") < end).lazy()},
            **self._tables,
            **{AS_OF: as_of, REFERENCE_OBSERVATIONS: last.reference.lazy()},
        ).collect(engine="in-memory")
        contract = self._catalogue.tables[INGESTED]
        contract.conform(priced.lazy())
        checked = check_rows(contract, priced.lazy(), may_quarantine=True, rows_beside=last.reference.height)
        again = last.confirmed_later.filter(pl.col("confirmed_until") >= since)
        needed = needed_columns(self._catalogue)
        good = pl.concat([checked.good.select(needed), _confirmed_until(again, end).select(needed)])
        new = checked.good.join(self._last_confirmed, on=self._confirmation, nulls_equal=True).select(again.columns)
        return _Validated(
            checked.good,
            good,
            checked.quarantined,
            checked.results,
            rejected,
            reference_after(last.reference, priced),
            pl.concat([again, new]),
        )

    def _apply(self, engine: HistoryEngine, pending: PendingBatch, validated: Sequence[_Validated]) -> BatchResult:
        checkpoint = {
            CHECKPOINT: pending.checkpoint(),
            # What is confirmed for no longer than this day is complete.
            _CONFIRMED_LATER: validated[-1].confirmed_later.filter(pl.col("confirmed_until") >= _end_of(pending.batch.as_of)),
        }
        good = pl.concat([part.good for part in validated])
        engine.apply(good, pending.batch.as_of, validated[-1].reference, checkpoint)
        rejected = tuple(line for part in validated for line in part.rejected)
        return BatchResult(pending.batch.as_of, rejected, sum(part.quarantined.height for part in validated))


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())


def _confirmed_until(rows: pl.DataFrame, end: datetime) -> pl.DataFrame:
    return rows.with_columns(last_confirmed_at=pl.min_horizontal("confirmed_until", pl.lit(end - timedelta(microseconds=1))))


def _batched(validated: Iterable[tuple[PendingBatch, _Validated]]) -> Iterator[list[tuple[PendingBatch, _Validated]]]:
    """Batches whose new rows are validated together."""
    waiting: list[tuple[PendingBatch, _Validated]] = []
    for one in validated:
        waiting.append(one)
        if len(waiting) == _BATCHES_AT_ONCE or sum(w.new.height for _, w in waiting) >= _ROWS_VALIDATED_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _accepted(batch: SnapshotBatch, validated: _Validated) -> _Validated:
    for result in validated.results:
        if result.blocks:
            raise BatchRejectedError(f"{batch.as_of}: {result.rule}: {result.detail}")
    return validated
