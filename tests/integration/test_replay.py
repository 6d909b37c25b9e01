"""`breakeven replay`: day by day or at once, the tables are the same bytes; on snapshots of our own and on recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.catalog_snapshots import Reading, write_readings, write_snapshots
from tests.support.cli import Cli

DAYS = 12
TABLES = ("price_history", "price_history_versions", "gpu_price_rolling")


def own_readings(path: Path) -> Path:
    """Readings of our own in the columns of the recorded history: a price that moves, one that stays, one that goes missing."""
    rows: list[Reading] = []
    for number in range(DAYS * 4):
        at = datetime(2023, 3, 1) + timedelta(hours=6 * number)
        rows += [
            (at, "p3.2xlarge", "V100", 1.0, 3.06, 1.0 + 0.01 * (number // 3)),
            (at, "g4dn.xlarge", "T4", 1.0, 3.06, 0.2),
            (at, "p2.xlarge", "K80", 1.0, 3.06, None if 12 < number < 30 else 0.3),
        ]
    return write_readings(path, rows)


def both_ways(cli: Cli, snapshots: Path) -> dict[str, dict[str, bytes]]:
    found = {}
    for way in ((), ("--at-once",)):
        done = cli("replay", str(snapshots), "--json", *way)
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        assert not facts["snapshots_not_used"]
        assert all(facts["rows"].values())
        found[" ".join(way)] = {name: (Path(facts["folder"]) / "marts" / f"{name}.parquet").read_bytes() for name in TABLES}
    return found


def test_day_by_day_or_at_once_on_our_own_snapshots(cli: Cli, tmp_path: Path) -> None:
    readings = own_readings(tmp_path / "readings.parquet")
    assert write_snapshots(readings, tmp_path / "snapshots") == DAYS * 4
    day_by_day, at_once = both_ways(cli, tmp_path / "snapshots").values()
    for name in TABLES:
        assert day_by_day[name] == at_once[name], name
    folder = cli.data / "replay" / "marts"
    history = pl.read_parquet(folder / "price_history.parquet").filter(pl.col("source") == "skypilot_catalog")
    moving = history.filter((pl.col("instance_type") == "p3.2xlarge") & (pl.col("purchase_option") == "spot"))
    assert moving.height == DAYS * 4 // 3
    # Missing for longer than a spot reading holds: an end that was known when the limit had passed, and a new beginning.
    missing = history.filter((pl.col("instance_type") == "p2.xlarge") & (pl.col("purchase_option") == "spot")).sort("valid_from")
    first = datetime(2023, 3, 1) + timedelta(hours=6 * 12, days=2)
    assert missing.get_column("valid_to").to_list() == [first, None]
    versions = pl.read_parquet(folder / "price_history_versions.parquet").filter(pl.col("series_id") == missing["series_id"][0])
    assert versions.sort("known_from").select("valid_to", "known_from", "known_to").rows()[:2] == [
        (None, datetime(2023, 3, 1), first),
        (first, first, None),
    ]


def test_day_by_day_or_at_once_on_the_recorded_history(shared: Path, cli: Cli, tmp_path: Path) -> None:
    readings = shared / "data" / "catalog_price_readings.parquet"
    types = ["p4d.24xlarge", "p3.16xlarge", "g5.xlarge", "Standard_ND96asr_v4"]
    write_snapshots(readings, tmp_path / "snapshots", first=date(2023, 2, 1), last=date(2023, 3, 20), types=types)
    day_by_day, at_once = both_ways(cli, tmp_path / "snapshots").values()
    for name in TABLES:
        assert day_by_day[name] == at_once[name], name


def test_packed_snapshots_replay_as_before(cli: Cli, tmp_path: Path) -> None:
    write_snapshots(own_readings(tmp_path / "readings.parquet"), cli.data / "snapshots")
    before = both_ways(cli, cli.data / "snapshots")
    done = cli("compact", "--keep-days", "0", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["packed"] > 0
    assert facts["bytes_after"] < facts["bytes_before"]
    assert both_ways(cli, cli.data / "snapshots") == before


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_snapshots_is_named(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    done = cli("replay", str(tmp_path / name))
    assert done.returncode == 2
    assert f"{name}: no snapshot of a price service there; expected a folder like data/snapshots" in done.stderr


@pytest.mark.parametrize("way", [(), ("--at-once",)])
def test_a_poisoned_day_is_set_aside_and_named(cli: Cli, tmp_path: Path, way: tuple[str, ...]) -> None:
    zones = [f"p{n}.xlarge" for n in range(30)]
    at = [datetime(2023, 3, day) for day in (1, 2, 3)]
    rows: list[Reading] = [(when, zone, "T4", 1.0, 3.06, 9999.0 if when == at[1] else 0.2) for when in at for zone in zones]
    write_snapshots(write_readings(tmp_path / "readings.parquet", rows), tmp_path / "snapshots")
    done = cli("replay", str(tmp_path / "snapshots"), "--json", *way)
    assert done.returncode == 0, done.stderr
    [why] = json.loads(done.stdout)["snapshots_not_used"]
    assert re.fullmatch(r"skypilot_catalog: set aside: quarantined_share: 30 of 60 new rows are bad, 60 series are known, .*", why)
