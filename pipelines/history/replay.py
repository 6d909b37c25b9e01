"""Stored snapshots fed to the history day by day, as the refreshes of those days would have done.

Belongs here: which observations became known on a day, judging them by what was known before, taking them in. Does not belong here:
the history itself (`store`), fetching, publication.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from pipelines.contracts import Catalogue, Contract
from pipelines.history.store import Advanced, HistoryStore
from pipelines.models import Model, rounded
from pipelines.observation import observe
from pipelines.quality import check_rows
from pipelines.raw import RawRejectedError, RawTable, read_fetch, read_source, unite_feed
from pipelines.registry import SourceModule
from pipelines.snapshots import Fetch, SnapshotStore

_REFERENCES = ("reference_gpu", "reference_gpu_alias_rule", "reference_instance_gpu", "reference_region_country")
TABLES = ("price_history", "price_history_versions", "gpu_price_rolling")


@dataclass(frozen=True)
class ReplayedDay:
    """What one day brought: rows judged bad (they are left out, as a refresh would quarantine them), and what changed."""

    day: date
    rejected: tuple[str, ...]
    bad: int
    changed: Advanced


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
        self._shipped = {name: read(name).frame for name, module in self._price_sources.items() if module.source.is_bundled}

    @property
    def days(self) -> list[date]:
        """Days that have a fetch of prices, in order."""
        return sorted(self._fetches)

    def feed(self, history: HistoryStore, days: Iterable[date], report: Callable[[ReplayedDay], None]) -> None:
        """Each day as one refresh of that day."""
        for day in days:
            report(self._take_in(history, [day]))

    def load_at_once(self, history: HistoryStore) -> ReplayedDay:
        """All days as one refresh of the last of them."""
        return self._take_in(history, self.days)

    def _take_in(self, history: HistoryStore, days: list[date]) -> ReplayedDay:
        as_of, before = days[-1], history.as_of
        frames, rejected = defaultdict(list), []
        for fetch in (f for day in days for f in self._fetches[day]):
            try:
                frame, _ = read_fetch(fetch, self._modules[fetch.source], self._catalogue.tables[fetch.source], self._catalogue, self._snapshots)
                frames[fetch.source].append(frame)
            except RawRejectedError as error:
                rejected.append(f"{fetch.source} {fetch.fetched_at}: {error}")
        raw = {name: pl.concat(parts).lazy() for name, parts in frames.items()} | {n: f.lazy() for n, f in self._shipped.items()}
        end = datetime.combine(as_of + timedelta(days=1), time())
        since = datetime.combine(before + timedelta(days=1), time()) if before is not None else datetime(1, 1, 1)
        shipped_before = pl.col("source").is_in([n for n, m in self._price_sources.items() if m.source.is_bundled]) & (
            pl.col("known_from") < since
        )
        fed = unite_feed("observation", raw, self._modules, self._catalogue).filter((pl.col("known_from") < end) & ~shipped_before)
        priced = observe(
            fed,
            *(self._references[name].lazy() for name in _REFERENCES),
            currency_rate=self._currency_rate(as_of, fed),
            as_of=as_of,
            earlier=history.latest_observations().lazy(),
        ).collect(engine="in-memory")
        checked = check_rows(self._catalogue.tables["price_observation"], priced.lazy(), may_quarantine=True)
        changed = history.advance(checked.good, as_of, compared=priced)
        return ReplayedDay(as_of, tuple(rejected), checked.quarantined.height, changed)

    def _currency_rate(self, as_of: date, fed: pl.LazyFrame) -> pl.LazyFrame:
        model = self._models["currency_rate"]
        assert model.function is not None
        rates = unite_feed("fx", {name: frame.lazy() for name, frame in self._rates.items()}, self._modules, self._catalogue)
        # The dollar is what each rate is brought to.
        wanted = [*fed.select(pl.col("currency").unique()).collect().get_column("currency"), "USD"]
        return model.function(all_fx=rates.filter(pl.col("currency").is_in(wanted)), as_of=as_of)


def write_tables(history: HistoryStore, folder: Path, catalogue: Catalogue, models: Mapping[str, Model]) -> dict[str, int]:
    """The tables of the history as Parquet in the order of their keys; gives the rows of each."""
    price_history = models["price_history"].function
    assert price_history is not None
    frames = {
        "price_history": price_history(price_interval=history.intervals(), price_series=history.series()),
        "price_history_versions": history.versions(),
        "gpu_price_rolling": history.rolling(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(frame, folder / f"{name}.parquet", catalogue.tables[name]) for name, frame in frames.items()}


def _write(frame: pl.LazyFrame, path: Path, contract: Contract) -> int:
    table = rounded(contract.conform(frame)).sort(contract.grain).collect()
    table.write_parquet(path, compression="zstd", statistics=False, row_group_size=102_400)
    return table.height
