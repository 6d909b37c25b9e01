"""Stored snapshots fed to the history day by day, as the refreshes of those days would have done.

Belongs here: which observations became known on a day, judging them by what was known before, taking them in. Does not belong here:
the history itself (`store`), fetching, publication.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipelines.contracts import Catalogue, Contract
from pipelines.history.intervals import IDENTITY
from pipelines.history.store import Advanced, HistoryStore, latest_after
from pipelines.models import Model, rounded
from pipelines.observation import observe
from pipelines.quality import check_rows
from pipelines.raw import RawRejectedError, RawTable, read_fetch, read_source, unite_feed
from pipelines.registry import SourceModule
from pipelines.snapshots import Fetch, SnapshotStore

_ROW_GROUP_ROWS = 102_400
# Judging looks at no more than what was known before: so many days at a time come to the same as all.
_DAYS_JUDGED_AT_ONCE = 20
_REFERENCES = ("reference_gpu", "reference_gpu_alias_rule", "reference_instance_gpu", "reference_region_country")


@dataclass(frozen=True)
class ReplayedDay:
    """What one day brought: rows judged bad (they are left out, as a refresh would quarantine them), and what changed."""

    day: date
    rejected: tuple[str, ...]
    bad: int
    changed: Advanced


@dataclass(frozen=True)
class _Judged:
    good: pl.DataFrame
    bad: int
    rejected: tuple[str, ...]
    latest: pl.DataFrame
    # Good rows of what ships, with `last_of_all`, the last day on which they are confirmed: each day confirms them as far as it goes.
    confirmed: pl.DataFrame


class Replay:
    """Feeds the fetches of `snapshots` to a history; what ships with the project comes from `bundled`, as read for a refresh."""

    def __init__(
        self,
        snapshots: SnapshotStore,
        bundled: SnapshotStore,
        catalogue: Catalogue,
        modules: Mapping[str, SourceModule],
        models: Mapping[str, Model],
    ) -> None:
        self._snapshots, self._catalogue, self._modules, self._models = snapshots, catalogue, modules, models
        self._price_sources = {c.name: modules[c.name] for c in catalogue.fed_by("observation")}
        self._fetches: dict[date, list[Fetch]] = defaultdict(list)
        for fetch in snapshots.fetches():
            if fetch.source in self._price_sources and not self._price_sources[fetch.source].source.is_bundled:
                self._fetches[fetch.as_of].append(fetch)

        def read(name: str) -> RawTable:
            return read_source(modules[name], catalogue.tables[name], catalogue, bundled, date.max)

        self._references = {name: read(name).frame for name in _REFERENCES}
        self._rates = {c.name: read(c.name).frame for c in catalogue.fed_by("fx")}
        shipped = {name: read(name).frame.lazy() for name, module in self._price_sources.items() if module.source.is_bundled}
        self._shipped = unite_feed("observation", shipped, modules, catalogue).collect()

    @property
    def days(self) -> list[date]:
        """Days that have a fetch of prices, in order."""
        return sorted(self._fetches)

    def feed(self, history: HistoryStore, days: Sequence[date], report: Callable[[ReplayedDay], None]) -> None:
        """Each day as one refresh of that day; the next is read and judged while the history takes in the last."""
        last = self._before(history)
        since = history.as_of
        with ThreadPoolExecutor(1) as judge:
            upcoming: Future[_Judged] | None = None
            for day, after in zip(days, [*days[1:], None], strict=True):
                judged = self._judge([day], since, last) if upcoming is None else upcoming.result()
                since, last = day, judged
                upcoming = judge.submit(self._judge, [after], since, last) if after is not None else None
                report(_take_in(history, day, [judged]))

    def load_at_once(self, history: HistoryStore) -> ReplayedDay:
        """All days as one refresh of the last of them."""
        last, since, parts = self._before(history), history.as_of, []
        for start in range(0, len(self.days), _DAYS_JUDGED_AT_ONCE):
            days = self.days[start : start + _DAYS_JUDGED_AT_ONCE]
            last = self._judge(days, since, last)
            since = days[-1]
            parts.append(replace(last, good=last.good.select(history.needed_columns)))
        return _take_in(history, self.days[-1], parts)

    def _before(self, history: HistoryStore) -> _Judged:
        none = pl.DataFrame(schema=self._catalogue.tables["price_observation"].polars_schema())
        confirmed = none.with_columns(last_of_all=pl.lit(None, dtype=pl.Datetime("us")))
        return _Judged(none, 0, (), history.latest_observations(), confirmed)

    def _read(self, days: Sequence[date]) -> tuple[pl.DataFrame, tuple[str, ...]]:
        frames, rejected = defaultdict(list), []
        for fetch in (f for day in days for f in self._fetches[day]):
            module, contract = self._modules[fetch.source], self._catalogue.tables[fetch.source]
            try:
                frame, _ = read_fetch(fetch, module, contract, self._catalogue, self._snapshots)
                frames[fetch.source].append(frame)
            except RawRejectedError as error:
                rejected.append(f"{fetch.source} {fetch.fetched_at}: {error}")
        raw = {name: pl.concat(parts).lazy() for name, parts in frames.items()}
        return unite_feed("observation", raw, self._modules, self._catalogue).collect(engine="in-memory"), tuple(rejected)

    def _judge(self, days: Sequence[date], before: date | None, last: _Judged) -> _Judged:
        """What became known on these days and was not on the day `before`, judged by what was known until then."""
        fetched, rejected = self._read(days)
        as_of = days[-1]
        end = datetime.combine(as_of + timedelta(days=1), time())
        since = datetime.combine(before + timedelta(days=1), time()) if before is not None else datetime.min
        shipped = self._shipped.filter(pl.col("known_from") >= since)
        fed = pl.concat([shipped, fetched]).filter(pl.col("known_from") < end).lazy()
        priced = observe(
            fed,
            *self._reference_frames(),
            self._currency_rate(as_of, fed),
            as_of,
            last.latest.lazy(),
        ).collect(engine="in-memory")
        checked = check_rows(self._catalogue.tables["price_observation"], priced.lazy(), may_quarantine=True)
        again = last.confirmed.filter(pl.col("last_of_all") >= since)
        good = pl.concat([checked.good, _confirmed_until(again, end).drop("last_of_all")])
        key = ["source", *IDENTITY, "first_seen_at"]
        ends = self._shipped.group_by(key).agg(last_of_all=pl.col("last_confirmed_at").max())
        new = checked.good.join(ends, on=key, nulls_equal=True).select(again.columns)
        return _Judged(good, checked.quarantined.height, rejected, latest_after(last.latest, priced), pl.concat([again, new]))

    def _reference_frames(self) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
        gpu, rule, instance, country = (self._references[name].lazy() for name in _REFERENCES)
        return gpu, rule, instance, country

    def _currency_rate(self, as_of: date, fed: pl.LazyFrame) -> pl.LazyFrame:
        model = self._models["currency_rate"]
        assert model.function is not None
        rates = unite_feed("fx", {name: frame.lazy() for name, frame in self._rates.items()}, self._modules, self._catalogue)
        # The dollar is what each rate is brought to.
        wanted = [*fed.select(pl.col("currency").unique()).collect().get_column("currency"), "USD"]
        return model.function(all_fx=rates.filter(pl.col("currency").is_in(wanted)), as_of=as_of)


def _confirmed_until(rows: pl.DataFrame, end: datetime) -> pl.DataFrame:
    return rows.with_columns(last_confirmed_at=pl.min_horizontal("last_of_all", pl.lit(end - timedelta(microseconds=1))))


def _take_in(history: HistoryStore, as_of: date, judged: Sequence[_Judged]) -> ReplayedDay:
    rejected = tuple(line for part in judged for line in part.rejected)
    good = pl.concat([part.good for part in judged])
    return ReplayedDay(as_of, rejected, sum(part.bad for part in judged), history.advance(good, as_of, judged[-1].latest))


def write_tables(history: HistoryStore, folder: Path, catalogue: Catalogue, models: Mapping[str, Model]) -> dict[str, int]:
    """The tables of the history as Parquet in the order of their keys, a part of the series at a time; gives the rows of each."""
    price_history = models["price_history"].function
    assert price_history is not None
    parts: dict[str, Callable[[str], pl.LazyFrame]] = {
        "price_history": lambda ids: price_history(price_interval=history.intervals(ids), price_series=history.series()),
        "price_history_versions": history.versions,
        "gpu_price_rolling": history.rolling,
    }
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(part, folder / f"{name}.parquet", catalogue.tables[name]) for name, part in parts.items()}


def _write(part: Callable[[str], pl.LazyFrame], path: Path, contract: Contract) -> int:
    # An id begins with a hexadecimal digit, and a key with an id: the parts one after the other are in the order of the key.
    rows, schema = 0, pl.DataFrame(schema=contract.polars_schema()).to_arrow().schema
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for digit in "0123456789abcdef":
            table = rounded(contract.conform(part(digit))).sort(contract.grain).collect()
            writer.write_table(table.to_arrow().cast(schema), row_group_size=_ROW_GROUP_ROWS)
            rows += table.height
    return rows
