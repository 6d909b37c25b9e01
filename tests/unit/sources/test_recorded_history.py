"""Readings of a recorded history as stored snapshots: the lines of a fetch stay in the order in which they were recorded."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import polars as pl

from pipelines.ingest.snapshots import SnapshotStore
from tests.support.catalog_snapshots import write_readings, write_snapshots

FIRST, FETCHES = dt.datetime(2023, 1, 1), 4
# Fewer are sorted by one thread, which keeps their order without being asked to.
READINGS = 200_000


def test_lines_of_one_instant_keep_their_order(tmp_path: Path) -> None:
    # Each fetch's lines are spread over the file, as in the recorded history.
    days = [FIRST + dt.timedelta(days=number % FETCHES) for number in range(READINGS)]
    readings = [(at, f"m{number}", "H100", 8.0, 1.0, None) for number, at in enumerate(days)]
    assert write_snapshots(write_readings(tmp_path / "readings.parquet", readings), tmp_path / "snapshots") == FETCHES
    store = SnapshotStore(tmp_path / "snapshots")
    for number, fetch in enumerate(store.fetches("skypilot_catalog")):
        [payload] = fetch.payloads
        lines = pl.read_csv(io.StringIO(json.loads(store.content(payload))["vms_csv"]))
        assert lines["InstanceType"].to_list() == [f"m{line}" for line in range(number, READINGS, FETCHES)]
