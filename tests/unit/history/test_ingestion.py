"""Batches: which runs make them, which a history has yet to ingest, and that none is ingested whose rows are rejected."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import INGESTED, models
from pipelines.history.batches import PendingBatch, SnapshotBatch, batches_of, open_for_batches
from pipelines.history.ingestion import BatchRejectedError, Ingestion
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import Fetch, SnapshotStore, StoredPayload
from pipelines.quality.results import RuleResult
from pipelines.sources.skypilot_catalog import payload

NOON = dt.time(12)
HEAD = b"InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone\n"


def fetch(day: int, run: str, source: str = "aws_spot", label: dt.date | None = None, sha256: str = "ab") -> Fetch:
    at = dt.datetime.combine(dt.date(2026, 1, day), NOON)
    stored = StoredPayload("page", "https://prices.example/", 200, None, at, sha256, 1)
    return Fetch(source, label or at.date(), run, at, "ok", (), (stored,))


def test_a_run_is_a_step_of_its_day_and_batches_are_in_the_order_of_days() -> None:
    second, first, other = fetch(3, "b"), fetch(2, "a"), fetch(2, "a", "azure_retail")
    elsewhere, tomorrow = fetch(2, "a", "ecb_fx"), fetch(4, "c")
    found = batches_of([second, first, elsewhere, other, tomorrow], ["aws_spot", "azure_retail"], dt.date(2026, 1, 3))
    assert found == [SnapshotBatch(dt.date(2026, 1, 2), (first, other)), SnapshotBatch(dt.date(2026, 1, 3), (second,))]


def test_what_was_fetched_for_an_earlier_day_is_known_on_its_own() -> None:
    asked_for = dt.date(2025, 6, 1)
    late = fetch(5, "a", label=asked_for)
    assert batches_of([late], ["aws_spot"], asked_for) == []
    assert batches_of([late], ["aws_spot"], dt.date(2026, 1, 5)) == [SnapshotBatch(dt.date(2026, 1, 5), (late,))]


def take(file: Path, basis: str, batches: list[SnapshotBatch], day: int) -> list[dt.date]:
    """Take all pending batches without any row; gives their days."""
    none = pl.DataFrame(schema=catalogue().tables[INGESTED].polars_schema())
    with open_for_batches(file, catalogue(), basis, batches, dt.date(2026, 1, day)) as (history, pending):
        for one in pending:
            history.apply(none, one.batch.as_of, checkpoint={"ingestion_checkpoint": one.checkpoint()})
    return [one.batch.as_of for one in pending]


def test_only_what_is_new_is_taken(tmp_path: Path) -> None:
    file, day = tmp_path / "history.duckdb", dt.date(2026, 1, 1)
    batches = [SnapshotBatch(day + dt.timedelta(days=n), (fetch(1 + n, f"run {n}"),)) for n in range(5)]
    assert take(file, "x", batches[:2], 2) == [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]
    assert take(file, "x", batches[:2], 2) == [dt.date(2026, 1, 2)]
    assert take(file, "x", batches[:2], 3) == [dt.date(2026, 1, 3)]
    assert take(file, "x", [*batches[:2], *batches[3:]], 6) == [dt.date(2026, 1, n) for n in (4, 5, 6)]


@pytest.mark.parametrize("what", ["another basis", "an earlier day", "another snapshot", "a snapshot less", "one before", "not readable"])
def test_another_history_is_made_anew(tmp_path: Path, what: str) -> None:
    file, day = tmp_path / "history.duckdb", dt.date(2026, 1, 1)
    batches = [SnapshotBatch(day + dt.timedelta(days=n), (fetch(1 + n, f"run {n}"),)) for n in range(1, 3)]
    take(file, "x", batches, 3)
    basis, until = "x", 3
    match what:
        case "another basis":
            basis = "y"
        case "an earlier day":
            until = 2
            batches = batches[:1]
        case "another snapshot":
            batches = [SnapshotBatch(batches[0].as_of, (fetch(2, "run 1", sha256="cd"),)), batches[1]]
        case "a snapshot less":
            batches = batches[:1]
        case "one before":
            batches = [SnapshotBatch(day, (fetch(1, "run 0"),)), *batches]
        case "not readable":
            file.write_bytes(b"a file of another kind" * 1000)
    expected = [step.as_of for step in batches]
    assert take(file, basis, batches, until) == (expected if expected[-1].day == until else [*expected, dt.date(2026, 1, until)])


def ingestion(folder: Path, days: int) -> tuple[Ingestion, list[SnapshotBatch]]:
    store = SnapshotStore(folder)
    for day in range(1, days + 1):
        at = dt.datetime.combine(dt.date(2026, 1, day), NOON)
        content = HEAD + f"p5.48xlarge,H100,8,192,2048,{40 + day},{10 + day},us-east-1,us-east-1a\n".encode()
        store.add("skypilot_catalog", at.date(), f"run {day}", [replace(payload("aws", content, "https://x.example/"), fetched_at=at)])
    modules = discover(catalogue())
    model = models()[INGESTED]
    tables = {name: pl.LazyFrame(schema=catalogue().tables[name].polars_schema()) for name in model.inputs}
    return Ingestion(store, catalogue(), modules, model, tables), batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)


def anything(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
    return []


def refused(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
    bad = new.get_column("native_amount").max() > 42  # type: ignore[operator]
    return [RuleResult("below_42", "table", "critical", not bad, int(bad), new.height, "")]


def test_a_step_that_is_refused_is_not_taken_and_stays_pending(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 3)
    file, last = tmp_path / "history.duckdb", batches[-1].as_of
    with open_for_batches(file, catalogue(), "", batches[:2], batches[1].as_of) as (history, pending):
        taking.replay(history, pending)
        before = history.views.intervals().sort("series_id", "valid_from").collect()
    with open_for_batches(file, catalogue(), "", batches, last) as (history, pending):
        taken = taking.ingest_batches(history, pending, refused)
        assert [r.rule for r in taken.results if r.blocks] == ["below_42"]
        assert history.views.as_of == batches[1].as_of
        assert history.views.intervals().sort("series_id", "valid_from").collect().equals(before)
    with open_for_batches(file, catalogue(), "", batches, last) as (history, pending):
        assert pending[0].batch == batches[2]
        taken = taking.ingest_batches(history, pending, anything)
        assert taken.good.height == 2 and history.views.as_of == last


def test_one_bad_row_of_a_quiet_day_stops_nothing(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 1)
    store = SnapshotStore(tmp_path / "snapshots")
    rows = b"".join(f"p5.48xlarge,H100,8,192,2048,41,1{n},us-east-{n},us-east-{n}a\n".encode() for n in range(1, 9))
    many = replace(payload("aws", HEAD + rows, "https://x.example/"), fetched_at=dt.datetime(2026, 1, 2))
    bad = replace(
        payload("aws", HEAD + b"p5.48xlarge,H100,8,192,2048,,9999,us-east-1,us-east-1a\n", ""), fetched_at=dt.datetime(2026, 1, 3)
    )
    for number, one in enumerate((many, bad)):
        store.add("skypilot_catalog", one.fetched_at.date(), f"later {number}", [one])
    batches = batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), "", batches, batches[-1].as_of) as (history, pending):
        bad: list[int] = []
        taken = taking.ingest_batches(history, pending, anything, lambda done: bad.append(done.quarantined))
        assert bad == [0, 0, 1]
        assert not [r for r in taken.results if r.blocks]
        assert history.views.as_of == batches[-1].as_of


def only_bad_rows(folder: Path) -> tuple[Ingestion, list[SnapshotBatch]]:
    """A good day, one whose rows cannot be, and a good one."""
    taking, _ = ingestion(folder, 1)
    store = SnapshotStore(folder)
    for day, spot in ((2, 9999), (3, 12)):
        at = dt.datetime(2026, 1, day, 12)
        rows = b"".join(f"p5.48xlarge,H100,8,192,2048,,{spot},us-east-1,us-east-1{zone}\n".encode() for zone in "bcdefghijklmnopqrstuv")
        store.add("skypilot_catalog", at.date(), f"run {day}", [replace(payload("aws", HEAD + rows, ""), fetched_at=at)])
    return taking, batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_replay_says_which_day_it_could_not_take(tmp_path: Path, at_once: bool) -> None:
    taking, batches = only_bad_rows(tmp_path / "snapshots")
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), "", batches, batches[-1].as_of) as (history, pending):
        with pytest.raises(BatchRejectedError, match=r"2026-01-0[23]: quarantined_share: 21 of"):
            (taking.replay_at_once if at_once else taking.replay)(history, pending)
        assert history.views.as_of == (None if at_once else batches[0].as_of)


def test_what_is_quarantined_is_said_before_the_history_goes_on(tmp_path: Path) -> None:
    taking, batches = only_bad_rows(tmp_path / "snapshots")
    told: list[int] = []

    with open_for_batches(tmp_path / "history.duckdb", catalogue(), "", batches, batches[-1].as_of) as (history, pending):

        def cut_off(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
            assert history.views.as_of is None
            told.append(quarantined.height)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            taking.ingest_batches(history, pending, cut_off)
        assert told == [21] and history.views.as_of is None
        taken = taking.ingest_batches(history, pending, anything)
        assert history.views.as_of == batches[0].as_of
        assert [r.rule for r in taken.results if r.blocks] == ["quarantined_share"]
        assert taken.good.get_column("known_from").dt.date().unique().to_list() == [batches[0].as_of]


def test_quiet_batches_do_not_pile_up(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 25)
    went_to: list[dt.date | None] = []

    with open_for_batches(tmp_path / "history.duckdb", catalogue(), "", batches, batches[-1].as_of) as (history, pending):

        def validate_batch(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
            went_to.append(history.views.as_of)
            return []

        taking.ingest_batches(history, pending, validate_batch)
        # What each step was judged by is held until it is taken.
        assert went_to == [None, batches[19].as_of]
        assert history.views.as_of == batches[-1].as_of


def test_the_number_of_batches_taken_is_kept(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 2)
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), "", batches, dt.date(2026, 1, 9)) as (history, pending):
        assert pending[-1] == PendingBatch(SnapshotBatch(dt.date(2026, 1, 9)), 2, pending[1].chain_hash)
        taking.replay(history, pending)
        progress = history.views.checkpoint("ingestion_checkpoint")
    assert progress.row(0) == (2, pending[1].chain_hash)
