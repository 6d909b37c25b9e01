"""What of a source's snapshots is in its raw table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import FEED_FACTS, catalogue
from pipelines.ingest.parse import read_source, unite_feed
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.quality.results import RuleResult, merged
from pipelines.sources.skypilot_catalog import payload

HEAD = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone\n"


def add(store: SnapshotStore, day: int, *prices: str) -> None:
    rows = "".join(f"p{n}.test,H100,8,192,2048,{price},,us-east-1,\n" for n, price in enumerate(prices))
    at = dt.datetime(2026, 1, day)
    store.add("skypilot_catalog", at.date(), f"run {day}", [replace(payload("aws", (HEAD + rows).encode(), ""), fetched_at=at)])


def test_of_prices_it_is_the_last_good_snapshot_held_against_the_one_before(tmp_path: Path) -> None:
    store, contract = SnapshotStore(tmp_path), catalogue().tables["skypilot_catalog"]
    module = discover(catalogue())["skypilot_catalog"]

    def rows(until: int) -> tuple[list[object], list[int], list[bool]]:
        table = read_source(module, contract, catalogue(), store, dt.date(2026, 1, until))
        counted = [r.passed for r in table.results if r.rule == "row_count_against_last"]
        return table.frame["on_demand_amount"].to_list(), [f.as_of.day for f, _ in table.rejections], counted

    add(store, 1)
    add(store, 2, "41", "42", "43")
    add(store, 3)
    add(store, 4, "44", "45")
    add(store, 5)
    assert rows(1) == ([], [1], [])
    assert rows(2) == (["41", "42", "43"], [], [])
    assert rows(3) == (["41", "42", "43"], [3], [])
    assert rows(5) == (["44", "45"], [5], [False])


def test_rows_that_are_no_longer_understood_are_said_though_as_many_come(tmp_path: Path) -> None:
    store, known = SnapshotStore(tmp_path), catalogue()
    module, contract = discover(known)["skypilot_catalog"], known.tables["skypilot_catalog"]
    add(store, 1, "41", "42", "43", "44")
    add(store, 2, "41", "42", "0", "0")
    add(store, 3, "0", "0", "0", "0")

    def verdicts(day: int) -> dict[str, tuple[bool, str]]:
        found = read_source(module, contract, known, store, dt.date(2026, 1, day)).results
        names = ("row_count_against_last", "figure_count_against_last", "gives_a_figure")
        return {r.rule: (r.passed, r.detail.partition(";")[0]) for r in found if r.rule in names}

    assert verdicts(1) == {"gives_a_figure": (True, "4 rows give 4 figures")}
    assert verdicts(2) == {
        "gives_a_figure": (True, "4 rows give 2 figures"),
        "row_count_against_last": (True, "4 rows, 4 in the snapshot before"),
        "figure_count_against_last": (False, "2 figures, 4 in the snapshot before"),
    }
    assert verdicts(3)["gives_a_figure"] == (False, "4 rows give 0 figures")


@pytest.mark.parametrize(
    "broken",
    [
        lambda raw: raw.select("no_such_column"),
        lambda raw: raw.select("instance_type"),
        lambda raw: raw.select(pl.lit(1).alias(c) for c in catalogue().feed_schema("observation") if c not in FEED_FACTS),
        lambda raw: {}["a fault of the module"],
    ],
    ids=["reads what is not there", "gives too little", "gives other types", "fails by itself"],
)
def test_a_source_that_cannot_give_its_feed_is_rejected_and_bends_no_other(
    tmp_path: Path, broken: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> None:
    store, known = SnapshotStore(tmp_path), catalogue()
    module = discover(known)["skypilot_catalog"]
    failing = replace(module, normalise=broken)
    add(store, 2, "41")
    table = read_source(failing, known.tables["skypilot_catalog"], known, store, dt.date(2026, 1, 3))
    assert table.frame.is_empty() and len(table.rejections) == 1

    good = read_source(module, known.tables["skypilot_catalog"], known, store, dt.date(2026, 1, 3)).frame
    frames = {"skypilot_catalog": table.frame.lazy(), "azure_retail": pl.LazyFrame(schema=known.tables["azure_retail"].polars_schema())}
    modules = {"skypilot_catalog": failing, "azure_retail": discover(known)["azure_retail"]}
    assert unite_feed("observation", frames, modules, known).collect().is_empty()
    frames["skypilot_catalog"] = good.lazy()
    assert unite_feed("observation", frames, {**modules, "skypilot_catalog": module}, known).collect().height == good.height


def test_a_row_on_which_the_source_fails_is_in_quarantine_and_the_others_are_used(tmp_path: Path) -> None:
    store, known = SnapshotStore(tmp_path), catalogue()
    module = discover(known)["skypilot_catalog"]

    def strict(raw: pl.LazyFrame) -> pl.LazyFrame:
        assert module.normalise is not None
        return module.normalise(raw.with_columns(on_demand_amount=pl.col("on_demand_amount").cast(pl.Int64).cast(pl.String)))

    add(store, 2, "41", "4x2", "43")
    failing = replace(module, normalise=strict)
    table = read_source(failing, known.tables["skypilot_catalog"], known, store, dt.date(2026, 1, 3))
    assert table.frame["on_demand_amount"].to_list() == ["41", "43"] and table.figure_count == 2
    assert [(row["rule"], "4x2" in row["row_json"], "conversion" in row["reason"]) for row in table.quarantined.to_dicts()] == [
        ("can_be_computed", True, True)
    ]
    assert [(r.passed, r.declared_effect, r.failing_count) for r in table.results if r.rule == "can_be_computed"] == [
        (False, "quarantined", 1)
    ]
    frames = {"skypilot_catalog": table.frame.lazy()}
    assert unite_feed("observation", frames, {"skypilot_catalog": failing}, known).collect().height == 2


def verdict(passed: bool, failing: int, detail: str) -> RuleResult:
    return RuleResult("rule", "row", "critical", passed, failing, 10, detail)


def test_a_rule_is_kept_where_every_part_keeps_it() -> None:
    other = RuleResult("other", "table", "warning", True, 0, 5, "fine")
    parts = [[verdict(True, 0, "none"), other], [verdict(False, 2, "two")], [verdict(False, 1, "one")]]
    assert merged(parts) == [RuleResult("rule", "row", "critical", False, 3, 30, "two | one"), other]
    both = merged([[verdict(False, 1, "gcp: bad")], [verdict(True, 0, "good")], [verdict(False, 2, "verda: empty")]])
    assert [(r.passed, r.failing_count, r.detail) for r in both] == [(False, 3, "gcp: bad | verda: empty")]
    [many] = merged([[verdict(False, 1, f"s{number}")] for number in range(7)])
    assert many.detail == "s0 | s1 | s2 | s3 | s4 | and 2 more"
    assert merged([[verdict(True, 0, "a")], [verdict(True, 0, "b")]]) == [RuleResult("rule", "row", "critical", True, 0, 20, "b")]
