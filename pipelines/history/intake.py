"""Stored fetches taken into the history, one run after the other, as the refreshes of their days did.

Belongs here: which fetches make a step, which steps are still to be taken, judging observations by what was known before them. Does not
belong here: the history itself (`store`), fetching, publication, rules of whole tables.

A history is a fold over the runs: its steps are taken in the order of their days, each judged by what the steps before it brought. So
one that grew by the day and one that is built anew from the snapshots are the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.catalogue.models import AS_OF, EARLIER, FEED_PREFIX, TAKEN_IN, Model
from pipelines.history.intervals import IDENTITY
from pipelines.history.store import HistoryStore, latest_after, open_history
from pipelines.ingest.parse import RawRejectedError, read_fetch, unite_feed, with_facts
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import Fetch, SnapshotStore
from pipelines.quality.results import RuleResult, merged
from pipelines.quality.row_rules import check_rows

_FEED = "observation"
# What steps were judged by is held until they are taken: so many of them at a time come to the same as all.
_STEPS_AT_ONCE = 20
# Rules of the whole table look at so many rows at a time, of several steps where steps are small.
_ROWS_ADMITTED_AT_ONCE = 200_000
_ROWS_KEPT = 500_000
# What a history keeps beside its own tables: how many steps it has taken, and which shipped prices are confirmed beyond its day.
_PROGRESS, _CONFIRMED = "progress", "confirmed"
_CONFIRMATION = ["source", *IDENTITY, "first_seen_at"]


@dataclass(frozen=True)
class Step:
    """The fetches of one run, to be known from the end of the day `as_of`."""

    as_of: date
    fetches: tuple[Fetch, ...] = ()

    @property
    def key(self) -> str:
        """Equal for steps that bring the same."""
        lines = [
            f"{fetch.source} {fetch.fetched_at.isoformat()} {p.name} {p.fetched_at.isoformat()} {p.sha256}"
            for fetch in self.fetches
            for p in fetch.payloads
        ]
        return "\n".join([self.as_of.isoformat(), *lines])


@dataclass(frozen=True)
class Pending:
    """A step that a history has to take: the `number` of those then taken, and what links it to all before."""

    step: Step
    number: int
    link: str


class StepRefusedError(Exception):
    """A rule on what a step brings blocks it, where nobody is there to say so; the message names day and rule."""


@dataclass(frozen=True)
class StepTaken:
    """What one step brought beside prices: snapshots that could not be used, rows judged bad."""

    as_of: date
    rejected: tuple[str, ...]
    bad: int


@dataclass(frozen=True)
class TakenIn:
    """What several steps brought: new good observations (of many, the last), and all verdicts."""

    good: pl.DataFrame
    results: list[RuleResult]


@dataclass(frozen=True)
class _Judged:
    new: pl.DataFrame
    # New rows, and those known already that are confirmed for longer.
    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult]
    rejected: tuple[str, ...]
    latest: pl.DataFrame
    # Good rows of what ships, with `last_of_all`, the last day on which they are confirmed: each day confirms them as far as it goes.
    confirmed: pl.DataFrame

    @property
    def blocks(self) -> bool:
        return any(result.blocks for result in self.results)


def price_services(catalogue: Catalogue, modules: Mapping[str, SourceModule]) -> dict[str, SourceModule]:
    """Sources of prices that are fetched: their snapshots make the steps."""
    tables = {c.name for c in catalogue.fed_by(_FEED)}
    return {name: module for name, module in modules.items() if module.table in tables and not module.source.is_bundled}


def steps_of(fetches: Iterable[Fetch], sources: Iterable[str], until: date) -> list[Step]:
    """Steps in the order in which they are taken: one for each run that fetched of `sources`, known by the end of the day `until`."""
    by_run: dict[str, list[Fetch]] = defaultdict(list)
    wanted = set(sources)
    for fetch in fetches:
        if fetch.source in wanted:
            by_run[fetch.run_id].append(fetch)
    found = [Step(max(max(f.as_of, f.fetched_at.date()) for f in own), tuple(own)) for own in by_run.values()]
    return sorted((step for step in found if step.as_of <= until), key=lambda step: step.as_of)


@contextmanager
def open_for_steps(
    path: Path, catalogue: Catalogue, basis: str, steps: Sequence[Step], as_of: date, *, anew: bool = False, is_lasting: bool = True
) -> Iterator[tuple[HistoryStore, list[Pending]]]:
    """The history of a file with the steps that it still has to take; the last of them goes to the end of `as_of`.

    `basis`: equal where code and what ships with the project are. A file that did not begin with these steps on this basis, or goes
    further than `as_of`, holds another history: it is made anew, as with `anew`.
    """
    links = list(accumulate(steps, lambda link, step: _hash(link + step.key), initial=_hash(basis)))
    taken = None if anew or not path.exists() else _steps_taken(path, catalogue, links, as_of)
    if taken is None:
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)
    pending = [Pending(step, number, links[number]) for number, step in enumerate(steps, 1)][taken or 0 :]
    # A day without a fetch is a step too: prices end by their limits, windows go on. And one step there is at least: where nothing is
    # new, that is judged.
    if not pending or pending[-1].step.as_of < as_of:
        pending.append(Pending(Step(as_of), len(steps), links[-1]))
    with open_history(path, catalogue, is_lasting=is_lasting) as history:
        yield history, pending


def _steps_taken(path: Path, catalogue: Catalogue, links: Sequence[str], as_of: date) -> int | None:
    """How many of the steps behind `links` a file has taken; None where it has taken others, goes too far, or cannot be read."""
    try:
        with open_history(path, catalogue) as history:
            progress = history.kept(_PROGRESS)
            if progress is None or history.as_of is None or history.as_of > as_of:
                return None
    except duckdb.Error:
        return None
    number, link = progress.row(0)
    return int(number) if number < len(links) and links[number] == link else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Intake:
    """Judges what steps bring, by the model of `staging.price_observation` and its rules, and gives it to a history.

    `tables`: what the model reads: the tables of the sources that ship, the references, the rates.
    """

    def __init__(
        self,
        snapshots: SnapshotStore,
        catalogue: Catalogue,
        modules: Mapping[str, SourceModule],
        observe: Model,
        tables: Mapping[str, pl.LazyFrame],
    ) -> None:
        self._snapshots, self._catalogue, self._modules, self._observe = snapshots, catalogue, modules, observe
        services = price_services(catalogue, modules)
        fetched = {module.table for module in services.values()}
        shipped = {c.name: tables[c.name] for c in catalogue.fed_by(_FEED) if c.name not in fetched}
        self._shipped = unite_feed(_FEED, shipped, modules, catalogue).collect()
        self._last_confirmed = self._shipped.group_by(_CONFIRMATION).agg(last_of_all=pl.col("last_confirmed_at").max())
        # Read once: each step joins with them.
        self._tables = {p: tables[p].collect().lazy() for p in observe.parameters if p in tables}

    def take_in(
        self,
        history: HistoryStore,
        pending: Sequence[Pending],
        admit: Callable[[pl.DataFrame, pl.DataFrame], list[RuleResult]],
        report: Callable[[StepTaken], None] = lambda _: None,
    ) -> TakenIn:
        """Take each step. Before one with a blocking verdict it ends: the history stays as it was, and the step is pending still.

        `admit` is given new good rows and quarantined ones before the history goes on to them: it gives the verdicts of rules of the
        whole table on the former.
        """
        news, results = deque([self._none()]), []
        for group in _together(self._judged_ahead(history, pending)):
            good = [(one, judged) for one, judged in group if not judged.blocks]
            new = pl.concat([self._none(), *(judged.new for _, judged in good)])
            verdicts = admit(new, pl.concat([judged.quarantined for _, judged in group]))
            results += [*(judged.results for _, judged in group), verdicts]
            if any(result.blocks for result in verdicts):
                break
            for one, judged in good:
                report(_take(history, one, [judged]))
            news.append(new)
            while len(news) > 1 and sum(part.height for part in news) > _ROWS_KEPT:
                news.popleft()
        return TakenIn(pl.concat(news), merged(results))

    def replay(self, history: HistoryStore, pending: Sequence[Pending], report: Callable[[StepTaken], None] = lambda _: None) -> None:
        """Take each step, held against row rules alone. Raises StepRefusedError before one with a blocking verdict."""
        for one, judged in self._judged_ahead(history, pending):
            report(_take(history, one, [_admitted(one.step, judged)]))

    def replay_at_once(self, history: HistoryStore, pending: Sequence[Pending]) -> StepTaken:
        """All steps as one of the day of the last of them. Raises StepRefusedError where a verdict blocks."""
        last, since, parts = self._before(history), history.as_of, []
        for start in range(0, len(pending), _STEPS_AT_ONCE):
            steps = [one.step for one in pending[start : start + _STEPS_AT_ONCE]]
            last = _admitted(steps[-1], self._judge(steps, since, last))
            since = steps[-1].as_of
            parts.append(replace(last, good=last.good.select(history.needed_columns)))
        return _take(history, pending[-1], parts)

    def _judged_ahead(self, history: HistoryStore, pending: Sequence[Pending]) -> Iterator[tuple[Pending, _Judged]]:
        """Each step, judged; the next is read and judged while the history takes in the last. Ends after one that blocks."""
        with ThreadPoolExecutor(1) as judge:
            upcoming = judge.submit(self._judge, [pending[0].step], history.as_of, self._before(history))
            for one, after in zip(pending, [*pending[1:], None], strict=True):
                judged = upcoming.result()
                if after is not None and not judged.blocks:
                    upcoming = judge.submit(self._judge, [after.step], one.step.as_of, judged)
                yield one, judged
                if judged.blocks:
                    return

    def _none(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self._catalogue.tables[TAKEN_IN].polars_schema())

    def _before(self, history: HistoryStore) -> _Judged:
        none = self._none()
        confirmed = history.kept(_CONFIRMED)
        if confirmed is None:
            confirmed = none.with_columns(last_of_all=pl.lit(None, dtype=pl.Datetime("us")))
        return _Judged(none, none, none, [], (), history.latest_observations(), confirmed)

    def _read(self, steps: Sequence[Step]) -> tuple[pl.DataFrame, tuple[str, ...]]:
        fed: dict[str, list[pl.DataFrame]] = defaultdict(list)
        rejected = []
        for fetch in (f for step in steps for f in step.fetches):
            try:
                module = self._modules[fetch.source]
                read = read_fetch(fetch, module, self._catalogue.tables[module.table], self._catalogue, self._snapshots)
            except RawRejectedError as error:
                rejected.append(f"{fetch.source} {fetch.fetched_at}: {error}")
            else:
                assert read.fed is not None
                fed[fetch.source].append(read.fed)
        schema = self._shipped.schema
        parts = [with_facts(pl.concat(own).lazy(), self._modules[name], _FEED).select(schema.names()) for name, own in fed.items()]
        return pl.concat([self._shipped.clear().lazy(), *parts]).collect(engine="in-memory"), tuple(rejected)

    def _judge(self, steps: Sequence[Step], before: date | None, last: _Judged) -> _Judged:
        """What became known by these steps and was not on the day `before`, judged by what was known until then."""
        assert self._observe.function is not None
        fetched, rejected = self._read(steps)
        as_of = steps[-1].as_of
        end = datetime.combine(as_of + timedelta(days=1), time())
        since = datetime.combine(before + timedelta(days=1), time()) if before is not None else datetime.min
        shipped = self._shipped.filter(pl.col("known_from") >= since)
        priced = self._observe.function(
            **{FEED_PREFIX + _FEED: pl.concat([shipped, fetched]).filter(pl.col("known_from") < end).lazy()},
            **self._tables,
            **{AS_OF: as_of, EARLIER: last.latest.lazy()},
        ).collect(engine="in-memory")
        contract = self._catalogue.tables[TAKEN_IN]
        contract.conform(priced.lazy())
        checked = check_rows(contract, priced.lazy(), may_quarantine=True, rows_beside=last.latest.height)
        again = last.confirmed.filter(pl.col("last_of_all") >= since)
        good = pl.concat([checked.good, _confirmed_until(again, end).drop("last_of_all")])
        new = checked.good.join(self._last_confirmed, on=_CONFIRMATION, nulls_equal=True).select(again.columns)
        return _Judged(
            checked.good,
            good,
            checked.quarantined,
            checked.results,
            rejected,
            latest_after(last.latest, priced),
            pl.concat([again, new]),
        )


def _confirmed_until(rows: pl.DataFrame, end: datetime) -> pl.DataFrame:
    return rows.with_columns(last_confirmed_at=pl.min_horizontal("last_of_all", pl.lit(end - timedelta(microseconds=1))))


def _together(judged: Iterable[tuple[Pending, _Judged]]) -> Iterator[list[tuple[Pending, _Judged]]]:
    """Steps whose new rows are admitted in one go: each holds what it was judged by until it is taken, so there are few of them."""
    waiting: list[tuple[Pending, _Judged]] = []
    for one in judged:
        waiting.append(one)
        if len(waiting) == _STEPS_AT_ONCE or sum(w.new.height for _, w in waiting) >= _ROWS_ADMITTED_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _admitted(step: Step, judged: _Judged) -> _Judged:
    for result in judged.results:
        if result.blocks:
            raise StepRefusedError(f"{step.as_of}: {result.rule}: {result.detail}")
    return judged


def _take(history: HistoryStore, pending: Pending, judged: Sequence[_Judged]) -> StepTaken:
    end = datetime.combine(pending.step.as_of + timedelta(days=1), time())
    beside = {
        _PROGRESS: pl.DataFrame({"taken": [pending.number], "link": [pending.link]}),
        # What is confirmed for no longer than this day needs no word any more.
        _CONFIRMED: judged[-1].confirmed.filter(pl.col("last_of_all") >= end),
    }
    good = pl.concat([part.good for part in judged])
    history.advance(good, pending.step.as_of, judged[-1].latest, beside)
    rejected = tuple(line for part in judged for line in part.rejected)
    return StepTaken(pending.step.as_of, rejected, sum(part.quarantined.height for part in judged))
