"""Batches: which runs make them, which a history has yet to ingest, and that none is ingested whose rows are rejected."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import INGESTED, models
from pipelines.history import validation
from pipelines.history.batches import PendingBatch, SnapshotBatch, batches_of, open_for_batches
from pipelines.history.engine import needed_columns, open_history
from pipelines.history.ingestion import BatchResult, Ingestion
from pipelines.ingest.registry import discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.ingest.snapshots import Fetch, SnapshotStore, StoredPayload
from pipelines.prices.normalization import at_each_rate
from pipelines.quality.results import RuleResult
from pipelines.sources.lib.source import Payload
from pipelines.sources.skypilot_catalog import payload

NOON, VERSION = dt.time(12), "0123456789abcdef"
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


def take(file: Path, batches: list[SnapshotBatch], day: int) -> list[dt.date]:
    """Take all pending batches without any row; gives their days."""
    none = pl.DataFrame(schema=catalogue().tables[INGESTED].polars_schema())
    with open_for_batches(file, catalogue(), batches, dt.date(2026, 1, day)) as opened:
        history, pending = opened.engine, opened.pending
        for one in pending:
            history.apply(none, one.batch.as_of, checkpoint={"ingestion_checkpoint": one.checkpoint()})
    return [one.batch.as_of for one in pending]


def test_only_what_is_new_is_taken(tmp_path: Path) -> None:
    file, day = tmp_path / "history.duckdb", dt.date(2026, 1, 1)
    batches = [SnapshotBatch(day + dt.timedelta(days=n), (fetch(1 + n, f"run {n}"),)) for n in range(5)]
    assert take(file, batches[:2], 2) == [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]
    assert take(file, batches[:2], 2) == [dt.date(2026, 1, 2)]
    assert take(file, batches[:2], 3) == [dt.date(2026, 1, 3)]
    assert take(file, [*batches[:2], *batches[3:]], 6) == [dt.date(2026, 1, n) for n in (4, 5, 6)]


@pytest.mark.parametrize("what", ["an earlier day", "another snapshot", "a snapshot less", "one before", "not readable"])
def test_another_history_is_made_anew(tmp_path: Path, what: str) -> None:
    file, day = tmp_path / "history.duckdb", dt.date(2026, 1, 1)
    batches = [SnapshotBatch(day + dt.timedelta(days=n), (fetch(1 + n, f"run {n}"),)) for n in range(1, 3)]
    take(file, batches, 3)
    until = 3
    match what:
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
    assert take(file, batches, until) == (expected if expected[-1].day == until else [*expected, dt.date(2026, 1, until)])


def ingestion(folder: Path, days: int) -> tuple[Ingestion, list[SnapshotBatch]]:
    store = SnapshotStore(folder)
    for day in range(1, days + 1):
        at = dt.datetime.combine(dt.date(2026, 1, day), NOON)
        content = HEAD + f"p5.48xlarge,H100,8,192,2048,{40 + day},{10 + day},us-east-1,us-east-1a\n".encode()
        store.add("skypilot_catalog", at.date(), f"run {day}", [replace(payload("aws", content, "https://x.example/"), fetched_at=at)])
    modules = discover(catalogue())
    model = models()[INGESTED]
    tables = {name: pl.LazyFrame(schema=catalogue().tables[name].polars_schema()) for name in model.inputs}
    return Ingestion(store, catalogue(), modules, model, tables, VERSION), batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)


def anything(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
    return []


def refused(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
    bad = new.get_column("native_amount").max() > 42  # type: ignore[operator]
    return [RuleResult("below_42", "table", "critical", not bad, int(bad), new.height, "")]


def test_a_step_that_is_refused_is_not_taken_and_stays_pending(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 3)
    file, last = tmp_path / "history.duckdb", batches[-1].as_of
    with open_for_batches(file, catalogue(), batches[:2], batches[1].as_of) as opened:
        history, pending = opened.engine, opened.pending
        taking.replay(history, pending)
        before = history.views.intervals().sort("series_id", "valid_from").collect()
    with open_for_batches(file, catalogue(), batches, last) as opened:
        history, pending = opened.engine, opened.pending
        taken = taking.ingest_batches(history, pending, refused)
        assert [r.rule for r in taken.results if r.blocks] == ["below_42"]
        assert history.views.as_of == batches[1].as_of
        assert history.views.intervals().sort("series_id", "valid_from").collect().equals(before)
    with open_for_batches(file, catalogue(), batches, last) as opened:
        history, pending = opened.engine, opened.pending
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
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        history, pending = opened.engine, opened.pending
        bad: list[int] = []
        taken = taking.ingest_batches(history, pending, anything, lambda done: bad.append(done.quarantined))
        assert bad == [0, 0, 1]
        assert not [r for r in taken.results if r.blocks]
        assert history.views.as_of == batches[-1].as_of


def test_a_row_on_which_the_arithmetic_fails_is_in_quarantine_and_the_others_are_ingested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 3)
    normalize = taking._normalize.function
    assert normalize is not None

    def failing(**inputs: object) -> pl.LazyFrame:
        observed = inputs["all_observation"]
        assert isinstance(observed, pl.LazyFrame)
        # Fails on the spot price of the second day, whatever stands beside it.
        strict = observed.with_columns(__fails=pl.when(pl.col("native_amount") == "12").then(pl.lit("no number")).cast(pl.Int64))
        strict.select("__fails").collect()
        return normalize(**inputs)

    monkeypatch.setattr(taking, "_normalize", replace(taking._normalize, function=failing))
    aside: list[pl.DataFrame] = []

    def keep(_: pl.DataFrame, bad: pl.DataFrame) -> list[RuleResult]:
        aside.append(bad)
        return []

    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        taken = taking.ingest_batches(opened.engine, opened.pending, keep)
        assert opened.engine.views.as_of == batches[-1].as_of
    assert sorted(map(float, taken.good.get_column("native_amount"))) == [11, 13, 41, 42, 43]
    [row] = pl.concat(aside).to_dicts()
    assert row["rule"] == "can_be_computed" and '"native_amount":"12"' in row["row_json"] and "conversion" in row["reason"]
    assert [(r.failing_count, r.declared_effect) for r in taken.results if r.rule == "can_be_computed"] == [(1, "quarantined")]


def only_bad_rows(folder: Path) -> tuple[Ingestion, list[SnapshotBatch]]:
    """A good day, one whose rows cannot be, and a good one."""
    taking, _ = ingestion(folder, 1)
    store = SnapshotStore(folder)
    for day, spot in ((2, 9999), (3, 12)):
        at = dt.datetime(2026, 1, day, 12)
        rows = b"".join(f"p5.48xlarge,H100,8,192,2048,,{spot},us-east-1,us-east-1{zone}\n".encode() for zone in "bcdefghijklmnopqrstuv")
        store.add("skypilot_catalog", at.date(), f"run {day}", [replace(payload("aws", HEAD + rows, ""), fetched_at=at)])
    return taking, batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)


@pytest.mark.parametrize("way", ["ingest", "replay", "at once"])
def test_a_poisoned_answer_is_set_aside_alone_and_the_next_good_one_is_ingested(tmp_path: Path, way: str) -> None:
    taking, batches = only_bad_rows(tmp_path / "snapshots")
    results: list[BatchResult] = []
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        if way == "ingest":
            ingested = taking.ingest_batches(opened.engine, opened.pending, anything, results.append)
            assert [r.rule for r in ingested.results if r.rejects] == ["quarantined_share"]
        elif way == "replay":
            taking.replay(opened.engine, opened.pending, results.append)
        else:
            taking.replay_at_once(opened.engine, opened.pending, results.append)
        views = opened.engine.views
        assert views.as_of == batches[-1].as_of
        assert sum(result.quarantined for result in results) == 21
        [why] = [line for result in results for line in result.rejected]
        assert why.startswith("skypilot_catalog: set aside: quarantined_share: 21 of 21 new rows are bad")
        seen = views.intervals().select(pl.col("valid_from").dt.day().unique()).collect().to_series().sort().to_list()
        assert seen == [1, 3]
        if way != "at once":
            outcomes = pl.concat([result.sources for result in results])
            assert outcomes.get_column("batch_outcome").to_list() == ["ingested", "set_aside", "ingested"]
            assert set(outcomes.get_column("logic_version")) == {VERSION}
            assert views.newest_outcomes().get_column("batch_outcome").to_list() == ["ingested"]


def test_an_answer_out_of_proportion_is_set_aside_before_anything_is_computed_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_MOST_ROWS", 5)
    taking, _ = ingestion(tmp_path / "snapshots", 1)
    store = SnapshotStore(tmp_path / "snapshots")
    many = b"".join(f"p5.48xlarge,H100,8,192,2048,41,11,us-east-{n},us-east-{n}a\n".encode() for n in range(1, 9))
    for day, rows in ((2, many), (3, b"p5.48xlarge,H100,8,192,2048,43,13,us-east-1,us-east-1a\n")):
        answer = replace(payload("aws", HEAD + rows, "https://x.example/"), fetched_at=dt.datetime(2026, 1, day, 12))
        store.add("skypilot_catalog", answer.fetched_at.date(), f"later {day}", [answer])
    batches = batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)
    normalize, computed = taking._normalize.function, []
    assert normalize is not None

    def counted(**inputs: object) -> pl.LazyFrame:
        observed = inputs["all_observation"]
        assert isinstance(observed, pl.LazyFrame)
        computed.append(observed.collect().height)
        return normalize(**inputs)

    monkeypatch.setattr(taking, "_normalize", replace(taking._normalize, function=counted))
    results: list[BatchResult] = []
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        taken = taking.ingest_batches(opened.engine, opened.pending, anything, results.append)
        seen = opened.engine.views.intervals().select(pl.col("valid_from").dt.day().unique()).collect().to_series().sort().to_list()
    assert seen == [1, 3] and max(computed) == 2
    [why] = [line for result in results for line in result.rejected]
    assert why == ("skypilot_catalog: set aside: answer_in_proportion: 16 rows, 2 are known, at most 6 are ingested at a time")
    assert [r.declared_effect for r in taken.results if r.rule == "answer_in_proportion"] == ["set_aside"]


def test_what_is_set_aside_describes_no_series(tmp_path: Path) -> None:
    """How long a commitment lasts is read where the price is: an answer whose prices are not taken changes neither."""
    taking, _ = ingestion(tmp_path / "snapshots", 1)
    store, [page] = SnapshotStore(tmp_path / "snapshots"), stored_answers("lambda_page")
    good = page.read_bytes()
    poisoned = re.sub(rb"\$[0-9.]+", b"$9,999.00", good.replace(b"2 weeks", b"3 weeks"))
    for day, content in ((2, good), (3, poisoned)):
        answer = Payload("pricing.html", "https://lambda.example/", content, dt.datetime(2026, 1, day))
        store.add("lambda_page", answer.fetched_at.date(), f"page {day}", [answer])
    batches = batches_of(store.fetches(), ["lambda_page"], dt.date.max)
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        taking.ingest_batches(opened.engine, opened.pending, anything)
        assert opened.engine.views.newest_outcomes().get_column("batch_outcome").to_list() == ["set_aside"]
        committed = opened.engine.views.series().filter(pl.col("purchase_option") == "commitment").collect()
        assert committed.get_column("commitment_days").to_list() == [14, 14]


def test_what_is_quarantined_is_said_before_the_history_goes_on(tmp_path: Path) -> None:
    taking, batches = only_bad_rows(tmp_path / "snapshots")
    told: list[int] = []

    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        history, pending = opened.engine, opened.pending

        def cut_off(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
            assert history.views.as_of is None
            told.append(quarantined.height)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            taking.ingest_batches(history, pending, cut_off)
        assert told == [21] and history.views.as_of is None
        taken = taking.ingest_batches(history, pending, anything)
        assert history.views.as_of == batches[-1].as_of
        assert taken.good.get_column("known_from").dt.date().unique().sort().to_list() == [batches[0].as_of, batches[2].as_of]


def test_quiet_batches_do_not_pile_up(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 25)
    went_to: list[dt.date | None] = []

    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, batches[-1].as_of) as opened:
        history, pending = opened.engine, opened.pending

        def validate_batch(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
            went_to.append(history.views.as_of)
            return []

        taking.ingest_batches(history, pending, validate_batch)
        # What each step was judged by is held until it is taken.
        assert went_to == [None, batches[19].as_of]
        assert history.views.as_of == batches[-1].as_of


# Each day has two prices, on demand and spot.
@pytest.mark.parametrize(("rows", "batches", "days_at_once"), [(1, 100, 1), (5, 100, 3), (1000, 100, 6), (1000, 2, 2)])
def test_a_backfill_holds_a_bounded_part_and_comes_to_the_same(
    tmp_path: Path, rows: int, batches: int, days_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.history.ingestion._ROWS_APPLIED_AT_ONCE", rows)
    monkeypatch.setattr("pipelines.history.ingestion._BATCHES_APPLIED_AT_ONCE", batches)
    days, found, taken = 6, [], []
    for name in ("day by day", "at once"):
        taking, stored = ingestion(tmp_path / name, days)
        with open_for_batches(tmp_path / f"{name}.duckdb", catalogue(), stored, stored[-1].as_of) as opened:
            (taking.replay if name == "day by day" else taking.replay_at_once)(opened.engine, opened.pending, taken.append)
            views = opened.engine.views
            found.append([f.sort(f.collect_schema().names()).collect() for f in (views.versions(), views.windows())])
    assert len(taken) == days + days // days_at_once
    assert all(a.equals(b) and a.height for a, b in zip(*found, strict=True))


def test_the_number_of_batches_taken_is_kept(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 2)
    with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches, dt.date(2026, 1, 9)) as opened:
        history, pending = opened.engine, opened.pending
        assert pending[-1] == PendingBatch(SnapshotBatch(dt.date(2026, 1, 9)), 2, pending[1].chain_hash)
        taking.replay(history, pending)
        progress = history.views.checkpoint("ingestion_checkpoint")
    assert progress.row(0) == (2, pending[1].chain_hash)


def test_a_changed_rule_holds_from_its_day_on_and_a_rebuild_judges_again(tmp_path: Path) -> None:
    taking, batches = ingestion(tmp_path / "snapshots", 3)
    stricter, _ = ingestion(tmp_path / "snapshots", 3)
    observation = catalogue().tables[INGESTED]
    dear = {"name": "not_dear", "sql": "native_amount < 30", "severity": "critical", "reason": "stricter than before", "on_null": "pass"}
    changed = replace(observation, rules=(*observation.rules, dear))
    stricter._catalogue = replace(catalogue(), tables={**catalogue().tables, INGESTED: changed})
    stricter._version = "f" * 16
    file, last = tmp_path / "history.duckdb", batches[-1].as_of
    with open_for_batches(file, catalogue(), batches[:2], batches[1].as_of) as opened:
        taking.replay(opened.engine, opened.pending)
        then = opened.engine.views.versions().collect()
    found: list[BatchResult] = []
    with open_for_batches(file, catalogue(), batches, last) as opened:
        assert opened.rebuilt_because is None
        assert [one.batch for one in opened.pending] == batches[2:]
        stricter.replay(opened.engine, opened.pending, found.append)
        now = opened.engine.views.versions().filter(pl.col("known_from") <= dt.datetime(2026, 1, 2, 23)).collect()
    assert [result.quarantined for result in found] == [1]
    assert found[0].sources.get_column("logic_version").to_list() == ["f" * 16]
    # What was asserted stays; only its end has become known meanwhile.
    key = ["series_id", "valid_from", "valid_to", "known_from", "usd_per_hour"]
    assert now.select(key).sort(key).equals(then.select(key).sort(key))
    with open_for_batches(file, catalogue(), batches, last, rebuild=True) as opened:
        assert opened.rebuilt_because == "asked for"
        stricter.replay(opened.engine, opened.pending, found.append)
        assert opened.engine.views.intervals().select(pl.col("native_amount").max()).collect().item() < 30


def test_a_price_in_euro_is_dollars_at_each_days_rate_however_it_grew(tmp_path: Path) -> None:
    rates = [(dt.date(2026, 1, day), "EUR", Decimal(f"1.{day:02}")) for day in (1, 2, 5, 6, 7, 8)]
    table = pl.DataFrame(rates, schema={"on_date": pl.Date, "currency": pl.String, "usd_per_unit": pl.Decimal(18, 8)}, orient="row")
    # A change of 1 January that what ships confirms until the 7th, and beyond the day of the first batches.
    schema = catalogue().tables["confirmed_later"].polars_schema()
    row = {
        **dict.fromkeys(("source", "provider", "seller", "region", "sku", "operating_system", "tenancy", "trust_tier", "licence"), "x"),
        **{"currency": "EUR", "price_unit": "instance_hour", "purchase_option": "on_demand", "semantics": "change", "gpu_count": 1.0},
        **{"source_detail": "x", "snapshot_sha256": "ab", "precedence": 1, "staleness_limit_days": 400, "native_amount": Decimal(2)},
        **dict.fromkeys(("usd_per_hour", "usd_per_gpu_hour"), Decimal("2.02")),
        **{name: dt.datetime(2026, 1, 1) for name in ("first_seen_at", "known_from")},
        "last_confirmed_at": dt.datetime(2026, 1, 7),
        "confirmed_until": dt.datetime(2026, 1, 7),
    }
    observed = pl.DataFrame([row], schema=schema, orient="row")
    needed = needed_columns(catalogue())

    def intervals(days: list[int]) -> pl.DataFrame:
        with open_history(tmp_path / f"{len(days)}.duckdb", catalogue()) as engine:
            since = dt.datetime.min
            for day in days:
                until = dt.datetime(2026, 1, day + 1)
                last = pl.lit(until - dt.timedelta(microseconds=1))
                known = observed.with_columns(last_confirmed_at=pl.min_horizontal("confirmed_until", last))
                rows = at_each_rate(known.select(needed), table.lazy()).filter(pl.col("last_confirmed_at") >= since)
                engine.apply(rows, until.date() - dt.timedelta(days=1))
                since = until
            return engine.views.intervals().collect()

    at_once = intervals([8])
    assert at_once.select(pl.col("valid_from").dt.day(), pl.col("usd_per_hour").cast(pl.Float64).round(4)).rows() == [
        (day, round(2 * (1 + day / 100), 4)) for day in (1, 2, 5, 6, 7)
    ]
    assert at_once.get_column("valid_to").to_list()[-1] is None
    grown = intervals(list(range(1, 9)))
    assert grown.rows() == at_once.rows()


@pytest.mark.parametrize(
    ("then", "problems", "unlisted"),
    [
        ("p5.48xlarge,H100,8,192,2048,41,11,us-east-1,us-east-1a\n", (), {"p4d.24xlarge"}),
        ("p5.48xlarge,H100,8,192,2048,41,11,us-east-1,us-east-1a\n", ("azure: 500",), set()),
        # A row that breaks a rule is put aside, and is in the list all the same.
        (
            "p5.48xlarge,H100,8,192,2048,41,11,us-east-1,us-east-1a\np4d.24xlarge,A100,-1,96,1152,22,8,us-east-1,us-east-1a\n",
            (),
            set(),
        ),
    ],
    ids=["a whole list", "a list in part", "a bad row"],
)
def test_what_a_whole_answer_no_longer_lists_is_known_from_its_day_on(
    tmp_path: Path, then: str, problems: tuple[str, ...], unlisted: set[str]
) -> None:
    store = SnapshotStore(tmp_path / "snapshots")
    first = "p5.48xlarge,H100,8,192,2048,41,11,us-east-1,us-east-1a\np4d.24xlarge,A100,8,96,1152,22,8,us-east-1,us-east-1a\n"
    for day, rows, failed in ((1, first, ()), (2, then, problems)):
        at = dt.datetime.combine(dt.date(2026, 1, day), NOON)
        listed = replace(payload("aws", HEAD + rows.encode(), "https://x.example/"), fetched_at=at)
        store.add("skypilot_catalog", at.date(), f"run {day}", [listed], failed)
    tables = {name: pl.LazyFrame(schema=catalogue().tables[name].polars_schema()) for name in models()[INGESTED].inputs}
    taking = Ingestion(store, catalogue(), discover(catalogue()), models()[INGESTED], tables, VERSION)
    batches = batches_of(store.fetches(), ["skypilot_catalog"], dt.date.max)
    for until in (1, 2):
        with open_for_batches(tmp_path / "history.duckdb", catalogue(), batches[:until], batches[until - 1].as_of) as opened:
            taking.ingest_batches(opened.engine, opened.pending, anything)
            said = opened.engine.views.availability().join(opened.engine.views.series(), on="series_id").collect()
    assert set(said["instance_type"]) == unlisted
    assert set(said.select("stated_on", "offer_state").rows()) == ({(dt.date(2026, 1, 2), "unlisted")} if unlisted else set())
