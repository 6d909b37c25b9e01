"""Marts of a version beside the same marts in SQL: quartiles of the market by DuckDB, four marts as a dbt project, and publication.

The version is that of the made year's first days (`made_year`) beside what ships; each figure is of a process of its own. dbt-duckdb is
no dependency: it is run from the virtual environment whose `dbt` `BREAKEVEN_DBT` names, and left out without it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.publication.parts import files_of
from tests.support.cli import SMALL_MARKET

from .made_year import LAST_DAY, SELLERS, write_days
from .markdown import table
from .marts import scan
from .measure import Cost, Measured, cost_of, measured
from .scale import scale

SCALE = scale()
# Small: beside two archives.
SETTINGS = {} if SCALE.is_timed else SMALL_MARKET
TODAY = LAST_DAY + timedelta(days=1)
REFRESH = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of"]
PROJECT = Path(__file__).parent / "dbt"
FIGURES = ("cheapest", "p25", "median", "p75", "dearest")
MARKET = ["gpu", "form_factor", "purchase_option", "commitment_class", "on_date"]
COUNTS = ["seller_count", "offer_count", "last_known_seller_count"]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cost]:
    """A data folder with a version of some made days and one of the day after, and what the latter took."""
    data = tmp_path_factory.mktemp("marts")
    write_days(data / "snapshots", LAST_DAY - timedelta(days=SCALE.mart_days - 1), LAST_DAY, SCALE.mart_series)
    cost_of([*REFRESH, str(LAST_DAY)], data, SETTINGS)
    write_days(data / "snapshots", TODAY, TODAY, SCALE.mart_series)
    return data, cost_of([*REFRESH, str(TODAY)], data, SETTINGS)


def test_quartiles_of_the_market(refreshed: tuple[Path, Cost], tmp_path: Path, page: list[str]) -> None:
    version = (refreshed[0] / "published" / "current").resolve()
    ours = measured("tests.benchmarks.marts:our_market", version, tmp_path / "ours.parquet", TODAY)
    theirs = measured("tests.benchmarks.marts:duckdb_market", version, tmp_path / "theirs.parquet", TODAY)
    every = pl.read_parquet(tmp_path / "ours.parquet").rename({f"{name}_usd_per_gpu_hour": name for name in FIGURES})
    world = every.filter(country_group="world", trust_group="professional").select(*MARKET, *COUNTS, *FIGURES).sort(MARKET)
    assert world.height
    assert world.equals(pl.read_parquet(tmp_path / "theirs.parquet").select(world.columns).sort(MARKET))
    groups = every.select("country_group", "trust_group").unique().height
    page.append(
        "## Quartiles of the market\n\n"
        f"{SCALE.mart_series:,} series of {SELLERS} sellers over {SCALE.mart_days} days beside what ships, from the history of prices; the "
        f"rows of DuckDB are those of ours for professional sellers in the world. Ours has {groups} such groups, {every.height:,} rows.\n"
    )
    page.append(_table({f"ours: {groups} groups": ours, f"DuckDB SQL: one group, {world.height:,} rows": theirs}))


def test_publication(refreshed: tuple[Path, Cost], tmp_path: Path, page: list[str]) -> None:
    published = refreshed[0] / "published"
    version = (published / "current").resolve()
    [before] = [folder for folder in (published / "versions").iterdir() if folder != version and folder.is_dir()]
    functions = {"anew": "publish_anew", "next": "publish_next", "plain": "duckdb_file"}
    # Beside the versions: files are shared by links.
    arguments = {"next": [before]}
    found = {
        name: measured(f"tests.benchmarks.marts:{function}", version, refreshed[0] / f"written-{name}", *arguments.get(name, []))
        for name, function in functions.items()
    }
    with duckdb.connect(str(refreshed[0] / "written-next" / "breakeven.duckdb"), read_only=True) as connection:
        for name in ("price_history", "market_price", "gpu_price_rolling"):
            [(rows,)] = connection.execute(f"SELECT count(*) FROM marts.{name}").fetchall()
            assert rows == scan(version, f"marts.{name}").select(pl.len()).collect().item()
    page.append("## Publication of a version\n\nThe same version, without its pages; a DuckDB file of its marts alone for comparison.\n")
    what = {
        "next": "ours, made from the version of the day before",
        "anew": "ours, made from nothing",
        "plain": "DuckDB: its marts as tables",
    }
    page.append(_table({text: found[name] for name, text in what.items()}))


def test_a_refresh_beside_dbt(refreshed: tuple[Path, Cost], tmp_path: Path, page: list[str]) -> None:
    dbt = os.environ.get("BREAKEVEN_DBT")
    if not dbt:
        pytest.skip("dbt is not there (BREAKEVEN_DBT)")
    data, day = refreshed
    version, file = (data / "published" / "current").resolve(), tmp_path / "marts.duckdb"
    given = {name: _read(version, name) for name in ("price_history", "offer_availability")}
    settings = json.dumps({"file": str(file), "as_of": TODAY.isoformat(), **given})
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(tmp_path / "target")]
    theirs = cost_of([dbt, "run", *folders, "--log-path", str(tmp_path / "log"), "--vars", settings], tmp_path)
    with duckdb.connect(str(file), read_only=True) as connection:
        windows = connection.sql("SELECT series_id, on_date, window_days, mean_usd_per_gpu_hour FROM gpu_price_rolling").pl()
        [(latest,)] = connection.execute("SELECT count(*) FROM price_today").fetchall()
    key = ["series_id", "on_date", "window_days"]
    paired = scan(version, "marts.gpu_price_rolling").select(*key, ours="mean_usd_per_gpu_hour").collect()
    paired = paired.join(windows.cast({"window_days": paired.schema["window_days"]}), on=key)
    assert paired.height == windows.height
    assert ((paired["ours"] - paired["mean_usd_per_gpu_hour"]).abs() / paired["ours"]).max() <= 1e-9  # type: ignore[operator]
    assert latest >= SCALE.mart_series
    page.append(
        "## A refresh beside dbt-duckdb\n\n"
        "dbt makes four marts (history of prices, windows, market of the world, prices of today) from intervals that are ready as Parquet, "
        f"{windows.height:,} rows of windows, equal to ours; the refresh is of a new day: reading and judging its answers, all other "
        "marts, checks, publication and pages as well.\n"
    )
    rows = [_line("`breakeven refresh` with a new day", day, day), _line("`dbt run` of four marts", theirs, day)]
    page.append(table(["what", "time against ours", "time", "peak", "written"], rows) + "\n")


def _read(version: Path, name: str) -> str:
    return f"read_parquet({[str(file) for file in files_of(version, f'marts.{name}').values()]})"


def _table(found: dict[str, Measured]) -> str:
    first = next(iter(found.values()))
    return (
        table(["what", "time against ours", "time", "peak", "written"], [_line(what, cost, first) for what, cost in found.items()]) + "\n"
    )


def _line(what: str, cost: Cost | Measured, ours: Cost | Measured) -> list[str]:
    times = f"{cost.seconds / ours.seconds:.1f}"
    return [what, times, f"{cost.seconds:.1f} s", f"{cost.peak_mib:.0f} MiB", f"{cost.written_mib:.0f} MiB"]
