"""The views of the interface, on the archive and on a year of recorded prices: a median of 50 ms on the one, of 200 on the other.

The year: the recorded readings as if they had been made in the year before the day of the archive, so that they stand beside measured
rates and servers, and costs follow from them. Histories are asked for a day or a week, as a page or a tool asks; the others are views of
the day of the version, and read whole.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb

from pipelines.catalogue.published_sql import bi_views
from tests.support.catalog_snapshots import write_snapshots
from tests.support.cli import Cli

from .markdown import table
from .measure import timed
from .scale import scale

SCALE = scale()
LAST_READING, AS_OF = date(2024, 1, 5), date(2026, 11, 23)
NEWEST_DAY = {"break_even": "on_date", "cost_per_million_tokens": "on_date", "price_rolling": "on_date", "market_history": "held_until_on"}
# Of a year these are too long to be read whole, as no tool does.
LAST_WEEK = {"price": "valid_from", "what_moved": "moved_on"}


def view_times(file: Path, weeks: dict[str, str]) -> dict[str, tuple[int, float]]:
    """Rows and median seconds of each view, by what was asked."""
    found = {}
    with duckdb.connect(str(file), read_only=True) as connection:
        for view in sorted(bi_views()):
            asked, what = f"FROM bi.{view}", f"`bi.{view}`"
            if day := NEWEST_DAY.get(view):
                [(newest,)] = connection.execute(f"SELECT max({day}) FROM bi.{view}").fetchall()
                asked, what = f"{asked} WHERE {day} = DATE '{newest}'", f"{what}, newest day"
            elif day := weeks.get(view):
                asked, what = f"{asked} WHERE {day} > DATE '{AS_OF - timedelta(days=7)}'", f"{what}, last week"
            rows = connection.execute(f"SELECT count(*) FROM ({asked})").fetchall()[0][0]
            found[what] = (rows, timed(connection, asked))
    return found


def section(title: str, text: str, found: dict[str, tuple[int, float]]) -> str:
    rows = [[what, f"{rows:,}", f"{seconds * 1e3:.0f} ms"] for what, (rows, seconds) in found.items()]
    return f"## {title}\n\n{text}\n\n" + table(["view", "rows", "median of 5"], rows) + "\n"


def test_views_of_the_interface(archive: Cli, page: list[str]) -> None:
    found = view_times(archive.current / "breakeven.duckdb", {})
    page.append(section("Views of the interface", "On the archive; the bound is 50 ms.", found))
    if SCALE.is_timed:
        assert {what: seconds for what, (_, seconds) in found.items() if seconds > 0.050} == {}


def test_views_on_a_year(shared: Path, cli: Cli, page: list[str]) -> None:
    days = 400 if SCALE.is_timed else 3
    write_snapshots(
        shared / "data" / "catalog_price_readings.parquet",
        cli.data / "snapshots",
        first=LAST_READING - timedelta(days=days),
        last=LAST_READING,
        later=AS_OF - LAST_READING,
    )
    done = cli("refresh", "--offline", "--as-of", str(AS_OF))
    assert done.returncode in (0, 3), done.stderr
    found = view_times(cli.current / "breakeven.duckdb", LAST_WEEK)
    text = f"The archive with {days} recorded days of AWS, Azure, GCP and Lambda, moved to the time before its day; the bound is 200 ms."
    page.append(section("Views on a year of the recorded clouds", text, found))
    if SCALE.is_timed:
        assert {what: seconds for what, (_, seconds) in found.items() if seconds > 0.200} == {}
