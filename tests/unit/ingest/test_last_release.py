"""A curated table whose figures multiply all others is held against the release of it that the store had before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.parse import read_source
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.quality.results import RuleResult
from pipelines.sources.lib.source import Payload

NAME = "reference_cost_assumption"
SHIPPED = (PACKAGE_FOLDER / "reference" / "cost_assumption.csv").read_text()
PACKING = "packing_share,,0.50,0.80,0.95,"


def verdict(folder: Path, *releases: str) -> list[RuleResult]:
    """The verdict of the rule after these releases of the table."""
    tables, store = catalogue(), SnapshotStore(folder)
    for number, content in enumerate(releases):
        at = dt.datetime(2026, 11, 1 + number)
        store.add(NAME, at.date(), f"run-{number}", [Payload("cost_assumption.csv", "package:pipelines", content.encode(), at)])
    read = read_source(discover(tables)[NAME], tables.tables[NAME], tables, store, dt.date(2026, 11, 23))
    assert read.used
    return [result for result in read.results if result.rule == "near_its_last_release"]


@pytest.mark.parametrize(
    ("packing", "named"),
    [
        ("packing_share,,0.50,0.80,0.95,", None),
        ("packing_share,,0.30,0.45,0.95,", None),
        ("packing_share,,0.50,0.39,0.95,", "packing_share: base is 0.39, 0.8 in the release before"),
        ("packing_share,,0.05,0.08,0.10,", "packing_share: base is 0.08, 0.8 in the release before"),
    ],
)
def test_an_assumption_is_held_against_the_release_before(tmp_path: Path, packing: str, named: str | None) -> None:
    assert PACKING in SHIPPED
    now = SHIPPED.replace(PACKING, packing.replace("0.50,0.39", "0.39,0.39"))
    [found] = verdict(tmp_path, SHIPPED, now)
    assert found.passed is (named is None) and not found.blocks and not found.rejects
    assert named is None or named in found.detail


def test_the_first_release_has_no_past(tmp_path: Path) -> None:
    assert verdict(tmp_path, SHIPPED) == []


def test_what_is_new_or_was_none_has_no_past_either(tmp_path: Path) -> None:
    without = "\n".join(line for line in SHIPPED.splitlines() if not line.startswith("packing_share,")) + "\n"
    [found] = verdict(tmp_path, without, SHIPPED)
    assert found.passed
