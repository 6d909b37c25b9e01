"""Refreshes of several days take in what is new; a warehouse made anew from the same snapshots publishes the same bytes."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from pipelines.publication.parts import files_of
from tests.support.catalog_snapshots import Reading, write_readings, write_snapshots
from tests.support.cli import MANY_SELLERS, Cli, without

FIRST = date(2026, 8, 1)
TABLES = ("price_history", "price_history_versions", "gpu_price_rolling", "cost_per_token", "break_even")


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight days of readings of our own: a price that moves, one that stays, one that goes missing, one beyond what can be."""
    rows: list[Reading] = []
    for number in range(8 * 4):
        at = datetime.combine(FIRST, datetime.min.time()) + timedelta(hours=6 * number + 1)
        rows += [
            (at, "p5.48xlarge", "H100", 8.0, 55.04, 20.0 + 0.1 * number),
            (at, "p4d.24xlarge", "A100", 8.0, 21.96, 8.0),
            (at, "p3.2xlarge", "V100", 1.0, 3.06, None if 8 < number < 24 else 0.9),
            (at, "g5.xlarge", "A10G", 1.0, 1.006, 900.0 if number == 20 else 0.4),
        ]
    return write_readings(tmp_path_factory.mktemp("readings") / "readings.parquet", rows)


def refreshed(cli: Cli, day: int, *options: str) -> None:
    done = cli("refresh", "--offline", "--as-of", str(FIRST + timedelta(days=day)), *options)
    assert done.returncode == 0, done.stdout + done.stderr


def taken_in(cli: Cli) -> list[tuple[object, ...]]:
    """Days of the service's observations that the last refresh took in, with their number."""
    with duckdb.connect(str(cli.data / "work.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT known_from::DATE, count(*) FROM staging.price_observation WHERE source = 'skypilot_catalog' GROUP BY ALL ORDER BY ALL"
        ).fetchall()


def marts(cli: Cli) -> dict[str, bytes]:
    return {f"{name} {part}": file.read_bytes() for name in TABLES for part, file in files_of(cli.current, f"marts.{name}").items()}


def changed_files(cli: Cli) -> list[Path]:
    """Files of all kept versions that are not what their manifest says any more."""
    return [
        folder / name
        for folder in (cli.data / "published" / "versions").iterdir()
        for name, file in json.loads((folder / "manifest.json").read_text())["files"].items()
        if sha256((folder / name).read_bytes()).hexdigest() != file["sha256"]
    ]


def test_days_add_up_to_what_is_made_anew(tmp_path: Path, readings: Path) -> None:
    market = without(*MANY_SELLERS)
    growing, anew = Cli(tmp_path / "growing", market), Cli(tmp_path / "anew", market)
    seen = []
    for first, last in ((0, 2), (3, 3), (5, 7)):
        days = (FIRST + timedelta(days=first), FIRST + timedelta(days=last))
        write_snapshots(readings, growing.data / "snapshots", first=days[0], last=days[1])
        write_snapshots(readings, anew.data / "snapshots", first=days[0], last=days[1])
        refreshed(growing, last)
        seen.append({day for day, _ in taken_in(growing)})
    # Each refresh read what was new; the bad price is in the record of the run that met it.
    assert seen == [{FIRST + timedelta(days=n) for n in days} for days in ((0, 1, 2), (3,), (5, 6, 7))]
    with duckdb.connect(str(growing.current / "breakeven.duckdb"), read_only=True) as connection:
        bad = connection.execute("SELECT table_name, row_json LIKE '%g5.xlarge%' FROM ops.quarantine").fetchall()
        assert bad == [("staging.price_observation", True)]
        [(moves,)] = connection.execute(
            "SELECT count(*) FROM marts.price_history"
            " WHERE source = 'skypilot_catalog' AND instance_type = 'p5.48xlarge' AND zone IS NOT NULL"
        ).fetchall()
        assert moves == 7 * 4
    # A version takes over the long tables as they were written, and the next refresh leaves them alone.
    [made], published = (growing.data / "build" / "gpu_price_rolling").glob("2026-08-*.parquet"), growing.current / "marts"
    assert made.samefile(published / "gpu_price_rolling" / "2026-08.parquet")
    assert len(list((growing.data / "published" / "versions").iterdir())) == 3 and not changed_files(growing)
    refreshed(anew, 7)
    assert marts(growing) == marts(anew)
    with duckdb.connect(str(anew.current / "breakeven.duckdb"), read_only=True) as connection:
        for name in TABLES:
            assert connection.execute(f"SELECT count(*) FROM marts.{name}").fetchone() != (0,), name
    refreshed(growing, 7, "--rebuild")
    assert {day for day, _ in taken_in(growing)} == {FIRST + timedelta(days=n) for n in (0, 1, 2, 3, 5, 6, 7)}
    assert marts(growing) == marts(anew)
