"""A history divided: runs of batches, the answers that a worker needs of them, and verdicts that bear on later runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import INGESTED, models
from pipelines.history.batches import SnapshotBatch, batches_of
from pipelines.history.distributed.observations import BATCH, JudgedRun, judge_run, judged_runs, price_run
from pipelines.history.distributed.plan import (
    DECISIONS,
    SHIPPED,
    Job,
    Run,
    buckets_of,
    put_frame,
    put_snapshots,
    runs_of,
    scratch_folder,
    snapshots_of,
)
from pipelines.history.distributed.ray import ThisProcess
from pipelines.ingest.snapshots import Fetch, SnapshotStore, StoredPayload
from pipelines.platform.shared_files import SharedFolder
from tests.support.catalog_snapshots import Reading, write_readings, write_snapshots
from tests.support.tables import curated

FIRST = dt.date(2026, 8, 1)


def batch(day: int, size: int = 1000) -> SnapshotBatch:
    at = dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(12))
    payload = StoredPayload("page", "https://prices.example/", 200, None, at, f"{day:064}", size)
    return SnapshotBatch(at.date(), (Fetch("aws_spot", at.date(), f"run {day}", at, "ok", (), (payload,)),))


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_runs_hold_every_batch_once_and_each_knows_the_day_before_it(count: int) -> None:
    batches = [batch(0), batch(1, 5000), batch(1), batch(4)]
    runs = runs_of(batches, FIRST + dt.timedelta(days=6), count)
    assert len(runs) <= count and [run.number for run in runs] == list(range(len(runs)))
    numbered = [one for run in runs for one in run.batches]
    assert [place for place, _ in numbered] == list(range(5))
    # The last day is a batch too, though nothing was fetched on it.
    assert [one.batch for _, one in numbered] == [*batches, SnapshotBatch(FIRST + dt.timedelta(days=6))]
    assert [one.before for _, one in numbered] == [None, *(one.as_of for one in batches)]


def test_runs_have_about_as_many_bytes() -> None:
    runs = runs_of([batch(day, 10 if day < 50 else 1000) for day in range(60)], FIRST + dt.timedelta(days=59), 2)
    assert [len(run.batches) for run in runs] == [55, 5] or [len(run.batches) for run in runs] == [56, 4]


def test_buckets_are_in_the_order_of_ids() -> None:
    assert len(buckets_of(1)) == 16 and len(buckets_of(2)) == 256
    assert buckets_of(2) == sorted(buckets_of(2))


def snapshots(folder: Path, days: int = 6, poisoned: Sequence[int] = ()) -> SnapshotStore:
    """A machine in thirty zones at 0.2 USD; on poisoned days at a price that none can have."""
    rows: list[Reading] = []
    for day in range(days):
        at = dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(6))
        price = 9999.0 if day in poisoned else 0.2
        rows += [(at, f"zone-{n}", "T4", 1.0, price, price) for n in range(30)]
    folder.mkdir()
    readings = write_readings(folder / "readings.parquet", rows)
    in_zones = pl.read_parquet(readings).with_columns(zone="instance_type", instance_type=pl.lit("g4dn.xlarge"))
    in_zones.write_parquet(readings)
    write_snapshots(readings, folder / "snapshots")
    return SnapshotStore(folder / "snapshots")


def new_job(folder: Path, store: Path | None) -> Job:
    """A job whose inputs are the curated tables, with nothing that ships."""
    files, known = SharedFolder(folder), catalogue()
    model = models()[INGESTED]
    tables: dict[str, pl.DataFrame] = {name: curated(name).collect() for name in model.inputs if name.startswith("reference_")}
    tables["currency_rate"] = pl.DataFrame(schema=known.tables["currency_rate"].polars_schema())
    for name, table in tables.items():
        put_frame(files, table, f"inputs/{name}.parquet")
    put_frame(files, pl.DataFrame(schema=known.feed_schema("observation")), f"inputs/{SHIPPED}.parquet")
    put_frame(files, pl.DataFrame(schema=known.tables[DECISIONS].polars_schema()), f"inputs/{DECISIONS}.parquet")
    return Job(files, tuple(tables), store)


def runs_in(store: SnapshotStore, count: int) -> list[Run]:
    batches = batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)
    return runs_of(batches, batches[-1].as_of, count)


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_worker_finds_the_answers_of_its_run_where_it_does_not_see_the_store(tmp_path: Path, is_packed: bool) -> None:
    store = snapshots(tmp_path / "data")
    if is_packed:
        store.compact(dt.date.max)
        assert not list((store.folder / "objects").glob("*/*.gz"))
    job, runs = new_job(tmp_path / "files", None), runs_in(store, 3)
    put_snapshots(job, store, runs)
    [payload] = runs[1].batches[0][1].batch.fetches[0].payloads
    with scratch_folder() as scratch:
        assert snapshots_of(job, runs[1], scratch).content(payload) == store.content(payload)


class Counting(ThisProcess):
    """This process, which notes what runs were judged."""

    def __init__(self) -> None:
        self.judged: list[int] = []

    def start(self, function: Any, *arguments: Any) -> Any:
        if function is judge_run:
            self.judged.append(arguments[1].number)
        return super().start(function, *arguments)


def judged_in(folder: Path, store: SnapshotStore, count: int) -> tuple[list[JudgedRun], pl.DataFrame, list[int]]:
    """What was judged of a store in so many runs, the good rows, and which runs were judged in which order."""
    job, runs, workers = new_job(folder, store.folder), runs_in(store, count), Counting()
    priced = [price_run(job, run) for run in runs]
    judged = judged_runs(job, runs, priced, 1, workers)
    good = pl.concat([pl.read_parquet(file) for one in judged for file in sorted((folder / "good" / str(one.number)).glob("*.parquet"))])
    return judged, good.drop(BATCH).sort(pl.all(), nulls_last=True), workers.judged


@pytest.mark.parametrize("poisoned", [(2,), (1, 2, 3), (1, 4)])
def test_a_source_that_is_set_aside_gives_nothing_to_later_runs(tmp_path: Path, poisoned: tuple[int, ...]) -> None:
    store = snapshots(tmp_path / "data", poisoned=poisoned)
    [whole], good, _ = judged_in(tmp_path / "one", store, 1)
    assert whole.set_aside == dict.fromkeys(poisoned, ("skypilot_catalog",))
    several, also_good, order = judged_in(tmp_path / "several", store, 12)
    assert len(several) == 6
    assert {place: sources for one in several for place, sources in one.set_aside.items()} == whole.set_aside
    assert also_good.equals(good)
    assert also_good.height == (6 - len(poisoned)) * 31
    assert len(order) > 6, "runs after one that lost a source are judged again"


def test_where_nothing_is_set_aside_each_run_is_judged_once(tmp_path: Path) -> None:
    _, good, order = judged_in(tmp_path / "files", snapshots(tmp_path / "data"), 12)
    assert order == list(range(6)) and good.height == 6 * 31
