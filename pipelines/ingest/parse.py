"""Raw tables from stored snapshots, each source by itself: a snapshot that cannot be read or breaks a rule is passed over.

Belongs here: reading the fetches of one source, parsing, raw checks, going back to the last good one. Does not belong here: fetching
(`ingest`), writing (`warehouse`). Raw never blocks: what is wrong with one source is said in its status.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from pipelines.catalogue.contracts import FEED_FACTS, RAW_LINEAGE, Catalogue, Contract, ContractError
from pipelines.ingest.registry import SourceModule, sharing
from pipelines.ingest.snapshots import Fetch, SnapshotStore
from pipelines.platform.text import fit_to_show
from pipelines.quality.failing_rows import computed_without_failing_rows, put_aside
from pipelines.quality.results import CheckError, RuleResult
from pipelines.quality.row_rules import QUARANTINE_SCHEMA, check_rows
from pipelines.quality.source_rules import (
    figure_count_against_last,
    gives_a_figure,
    has_all,
    must_have,
    near_its_last_release,
    payloads_can_be_read,
    row_count_against_last,
    rows_at_least,
)
from pipelines.quality.table_rules import check_table

log = logging.getLogger("breakeven")

_MAX_DETAIL = 1_000
# Of a table of all days so many answers are read: they show what was revised, and stand in where the newest is wrong.
_TABLES_OF_RATES = 5


class RawRejectedError(Exception):
    """A snapshot is not used; the message says which rule it broke and with what, `results` are the verdicts that say so."""

    def __init__(self, message: str, results: Sequence[RuleResult] = ()) -> None:
        super().__init__(message)
        self.results = tuple(results)


@dataclass(frozen=True)
class RawTable:
    """Rows of all good snapshots of a source. `rejections` are (fetch, why), newest last; `results` the verdicts on the newest snapshot,
    `quarantined` its rows that broke a rule, `figure_count` what its rows came to in the feed (None where there is none).
    """

    frame: pl.DataFrame
    used: tuple[Fetch, ...]
    rejections: tuple[tuple[Fetch, str], ...]
    results: list[RuleResult] = field(default_factory=list)
    quarantined: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=QUARANTINE_SCHEMA))
    figure_count: int | None = None

    @property
    def last_good(self) -> Fetch | None:
        """The newest snapshot that was used."""
        return self.used[-1] if self.used else None

    def newest_figure_on(self, contract: Contract, as_of: date) -> date | None:
        """The newest date that a row of the table itself names, not after `as_of`; where rows name none, that of the last fetch."""
        own = [c.name for c in contract.columns if c.type in ("date", "timestamp") and c.name not in (*RAW_LINEAGE, *_validity(contract))]
        newest = (
            self.frame.select(pl.max_horizontal(pl.col(c).cast(pl.Date) for c in own).alias("day"))
            .filter(pl.col("day") <= as_of)
            .get_column("day")
            .max()
            if own
            else None
        )
        if isinstance(newest, date):
            return newest
        return self.last_good.fetched_at.date() if self.last_good and not self.frame.is_empty() else None


def _validity(contract: Contract) -> tuple[str, ...]:
    # From when and until when an offer holds says nothing of how new it is.
    return ("starts_on", "ends_on") if "ends_on" in contract.column_names else ()


def read_source(module: SourceModule, contract: Contract, catalogue: Catalogue, store: SnapshotStore, as_of: date) -> RawTable:
    """Rows of a source as known on `as_of`, from its good snapshots.

    What ships with the project is replaced as a whole by a newer release; a service's snapshots add up. Of prices only the last good
    snapshot is here: those before it are in the history already. Of what no feed takes further only the last good one counts, too.
    """
    if module.source.is_bundled:
        # The newest release that can be read; an older one only where the newest cannot.
        releases = store.fetches(module.name)
        newest = _read_fetches(releases[-1:], module, contract, catalogue, store)
        if len(releases) < 2 or (newest.used and contract.near_its_last_release is None):
            return newest
        older = _read_fetches(releases[-2:-1], module, contract, catalogue, store)
        if newest.used:
            held = near_its_last_release(contract, older.frame, newest.frame) if older.used else []
            return replace(newest, results=[*newest.results, *held])
        return replace(older, rejections=(*older.rejections, *newest.rejections))
    fetches = store.fetches(module.name, until=as_of)
    if contract.feeds in ("observation", None):
        return _read_newest(fetches, module, contract, catalogue, store)
    if contract.feeds == "fx":
        fetches = fetches[-_TABLES_OF_RATES:]
    return _read_fetches(fetches, module, contract, catalogue, store)


def _read_newest(
    fetches: Sequence[Fetch], module: SourceModule, contract: Contract, catalogue: Catalogue, store: SnapshotStore
) -> RawTable:
    # The last good snapshot, held against the good one before it.
    passed_over: list[tuple[Fetch, str]] = []
    for number in range(len(fetches), 0, -1):
        newest = _read_fetches(fetches[number - 1 : number], module, contract, catalogue, store)
        if not newest.used:
            passed_over = [*newest.rejections, *passed_over]
            continue
        before = next(
            (t for n in range(number - 1, 0, -1) if (t := _read_fetches(fetches[n - 1 : n], module, contract, catalogue, store)).used), None
        )
        counted = [] if before is None else [row_count_against_last(before.frame.height, newest.frame.height)]
        if before is not None and before.figure_count is not None and newest.figure_count is not None:
            counted.append(figure_count_against_last(before.figure_count, newest.figure_count))
        return replace(newest, rejections=tuple(passed_over), results=[*newest.results, *counted])
    return RawTable(pl.DataFrame(schema=contract.polars_schema()), (), tuple(passed_over))


def _read_fetches(
    fetches: Iterable[Fetch], module: SourceModule, contract: Contract, catalogue: Catalogue, store: SnapshotStore
) -> RawTable:
    frames, used, rejections = [pl.DataFrame(schema=contract.polars_schema())], [], []
    results: list[RuleResult] = []
    quarantined, figures = pl.DataFrame(schema=QUARANTINE_SCHEMA), None
    for fetch in fetches:
        try:
            read = read_fetch(fetch, module, contract, catalogue, store)
        except RawRejectedError as error:
            rejections.append((fetch, str(error)))
            results = list(error.results)
        else:
            frames.append(read.frame)
            results, quarantined = read.results, read.quarantined
            figures = None if read.fed is None else read.fed.height
            used.append(fetch)
    if len(used) > 1:
        results = [*results, row_count_against_last(frames[-2].height, frames[-1].height)]
    return RawTable(pl.concat(frames), tuple(used), tuple(rejections), results, quarantined, figures)


def unite_feed(feed: str, frames: Mapping[str, pl.LazyFrame], modules: Mapping[str, SourceModule], catalogue: Catalogue) -> pl.LazyFrame:
    """The union `all_<feed>` of raw tables by name: each brought to the feed's columns by its source, with the facts of the source."""
    schema = catalogue.feed_schema(feed)
    parts = [pl.LazyFrame(schema=schema)]
    for table, raw in frames.items():
        for module in sharing(modules.values(), table):
            own = raw.filter(pl.col("source") == module.name) if module.shares_table else raw
            try:
                fed = catalogue.feeds[feed].conform(_normalised(module, own))
            except (RawRejectedError, ContractError, pl.exceptions.PolarsError) as error:
                # `read_fetch` rejected every answer of this source for the same reason, which its status tells: it has no rows here.
                log.warning("source %-28s gives no rows of feed %s: %s", module.name, feed, error)
                continue
            parts.append(with_facts(fed, module, feed).select(schema.names()))
    return pl.concat(parts)


def _normalised(module: SourceModule, raw: pl.LazyFrame) -> pl.LazyFrame:
    # Raises RawRejectedError whatever the source's own code does: the others go on.
    assert module.normalise is not None
    try:
        return module.normalise(raw)
    except Exception as error:
        raise RawRejectedError(fit_to_show(f"{type(error).__name__}: {error}", _MAX_DETAIL)) from error


def with_facts(frame: pl.LazyFrame, module: SourceModule, feed: str) -> pl.LazyFrame:
    """Rows of a feed from one source with what is declared of the source: its name, semantics, precedence and staleness limit."""
    source = module.source
    if feed == "observation":
        limits = {option: source.staleness_limit_days(option) for option in _PURCHASE_OPTIONS}
        limit = pl.col("purchase_option").replace_strict(limits, default=None, return_dtype=pl.Int64)
    else:
        limit = pl.lit(source.staleness_limit_days(_STALENESS_OF_FEED.get(feed, feed)), dtype=pl.Int64)
    facts = (pl.lit(module.name), pl.lit(source.semantics), pl.lit(source.precedence, dtype=pl.Int64), limit)
    return frame.with_columns(value.alias(name) for name, value in zip(FEED_FACTS, facts, strict=True))


_PURCHASE_OPTIONS = (
    "on_demand",
    "spot",
    "commitment",
    "capacity_block",
    "dedicated_month",
    "reserved",
    "serverless",
    "marketplace",
)
_STALENESS_OF_FEED = {"hardware_quote": "hardware"}


@dataclass(frozen=True)
class FetchRead:
    """Rows of one fetch in the columns of its raw table, in those of its feed if it has one, and the verdicts of the raw rules.

    `problems` name payloads that could not be read, `quarantined` holds the rows that broke a rule: both are left out, and said.
    `listed`: rows of the feed for all that the answer lists, those that broke a rule too; None where part of it is missing or unreadable.
    """

    frame: pl.DataFrame
    fed: pl.DataFrame | None
    results: list[RuleResult]
    quarantined: pl.DataFrame
    problems: tuple[str, ...] = ()
    listed: pl.DataFrame | None = None


def read_fetch(fetch: Fetch, module: SourceModule, contract: Contract, catalogue: Catalogue, store: SnapshotStore) -> FetchRead:
    """Read one fetch: a payload that cannot be read and a row that breaks a rule are left out by themselves.

    Raises RawRejectedError where nothing can be used, or too little.
    """
    frame, problems = _parsed(fetch, module, contract, store)
    source, fed, kept = module.source, None, None
    try:
        contract.conform(frame.lazy())
        if frame.is_empty() and (module.shares_table or not contract.allow_empty):
            raise RawRejectedError("no rows: a source that is silently empty is a fault, not news")
        checked = check_rows(contract, frame.lazy(), may_quarantine=contract.is_fetched, share_effect="set_aside")
        results = [*checked.results, *check_table(contract, checked.good), *must_have(contract, checked.good)]
        if contract.is_fetched:
            results.append(payloads_can_be_read(fit_to_show("; ".join(problems), _MAX_DETAIL), len(problems), frame.height))
        if source.rows_at_least > 1:
            results.append(rows_at_least(source.rows_at_least, frame.height))
        if source.must_have:
            results.append(has_all("sku", source.must_have, checked.good))
        rejecting = [r for r in results if r.rejects]
        if rejecting:
            raise RawRejectedError("; ".join(f"{r.rule}: {r.detail}" for r in rejecting), results)
        if contract.feeds is not None and module.normalise is not None:
            feed = catalogue.feeds[contract.feeds]
            kept = computed_without_failing_rows(checked.good, lambda rows: _fed(module, rows, feed))
            fed = kept.frame
            results.append(gives_a_figure(checked.good.height, fed.height))
    except (ContractError, CheckError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise RawRejectedError(f"{type(error).__name__}: {error}") from error
    if kept is None:
        return FetchRead(checked.good, fed, results, checked.quarantined, problems)
    verdicts, aside = put_aside(contract, kept)
    is_whole = fetch.status == "ok" and not problems and aside.is_empty()
    listed = (fed if checked.quarantined.is_empty() else _listed(module, frame, feed)) if is_whole else None
    return FetchRead(kept.rows, fed, [*results, *verdicts], pl.concat([checked.quarantined, aside]), problems, listed)


def _listed(module: SourceModule, frame: pl.DataFrame, feed: Contract) -> pl.DataFrame | None:
    # Rows that broke a rule may be more than the source's own reading can stand: then nobody knows what they list.
    try:
        return _fed(module, frame, feed)
    except (RawRejectedError, ContractError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _fed(module: SourceModule, rows: pl.DataFrame, feed: Contract) -> pl.DataFrame:
    fed = _normalised(module, rows.lazy()).collect(engine="in-memory")
    feed.conform(fed.lazy())
    return fed


def _parsed(fetch: Fetch, module: SourceModule, contract: Contract, store: SnapshotStore) -> tuple[pl.DataFrame, tuple[str, ...]]:
    schema = contract.polars_schema()
    frames, problems = [], []
    for payload in fetch.payloads:
        try:
            frames.append(
                module.parse(store.content(payload)).with_columns(
                    *([pl.lit(module.name).alias("source")] if module.shares_table else []),
                    fetched_at=pl.lit(payload.fetched_at, dtype=schema["fetched_at"]),
                    snapshot_sha256=pl.lit(payload.sha256),
                )
            )
        except Exception as error:  # noqa: BLE001  (whatever a payload does to its parser, the others are read)
            problems.append(f"{payload.name}: {type(error).__name__}: {error}")
    if fetch.payloads and not frames:
        raise RawRejectedError(fit_to_show("; ".join(problems), _MAX_DETAIL))
    try:
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
    except pl.exceptions.PolarsError as error:
        raise RawRejectedError(f"payloads do not fit each other: {error}") from error
    return (frame.select("source", pl.exclude("source")) if module.shares_table else frame), tuple(problems)
