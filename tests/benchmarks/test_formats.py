"""The long marts of the archive as a version and one of which a month differs, beside DuckLake and Iceberg (docs/decisions/0009).

Neither is a dependency: they run in the Python that `BREAKEVEN_LAKES` names (duckdb 1.4 with `duckdb-ext-ducklake`, and
`pyiceberg[pyarrow,pyiceberg-core,sql-sqlite]`), and this is left out without it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import polars.selectors as cs
import pytest

from pipelines.platform.parquet import rows_in
from pipelines.publication.parts import files_of

from .formats.given import MARTS, files_below, seen_by_a_plain_client
from .markdown import table
from .measure import Measured, cost_of, measured

DAY = "2026-11-22"
REFRESH = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of", "2026-11-23"]
CATALOGUES = {"ducklake": "lake.ducklake", "iceberg": "catalogue.sqlite"}


@pytest.fixture(scope="module")
def lakes() -> str:
    python = os.environ.get("BREAKEVEN_LAKES")
    if not python:
        pytest.skip("DuckLake and Iceberg are not there (BREAKEVEN_LAKES)")
    return python


@pytest.fixture(scope="module")
def given(lakes: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Parquet files of the marts, and those of the last month with another figure in each row."""
    folder = tmp_path_factory.mktemp("given")
    cost_of(REFRESH, folder / "data")
    version = (folder / "data" / "published" / "current").resolve()
    for name in MARTS:
        files = files_of(version, f"marts.{name}")
        assert "" not in files, f"marts.{name} has no rows"
        for part in ("first", "changed"):
            (folder / part / name).mkdir(parents=True)
        for month, file in files.items():
            shutil.copyfile(file, folder / "first" / name / f"{month}.parquet")
        last = max(files)
        rows = pl.scan_parquet(files[last])
        figure = next(iter(rows.select(cs.float()).collect_schema().names()))
        rows.with_columns(pl.col(figure) * 1.01).sink_parquet(folder / "changed" / name / f"{last}.parquet")
    return folder


def test_a_version_and_the_next(given: Path, lakes: str, tmp_path: Path, page: list[str]) -> None:
    first, changed = given / "first", given / "changed"

    def step(way: str, name: str, *arguments: object) -> Measured:
        return measured(f"tests.benchmarks.formats.{way}:{name}", *arguments, python=sys.executable if way == "ours" else lakes)

    found: dict[str, list[Measured]] = {}
    ours = tmp_path / "ours"
    made = step("ours", "first", first, ours)
    step("ours", "put_by", ours)
    found["ours, from a copy of the file before"] = [made, step("ours", "next_copied", changed, ours)]
    found["ours, from the file of a version no longer shown"] = [made, step("ours", "next_spare", changed, ours)]
    asked = {"ours": step("ours", "query", ours, DAY)}
    for way, name in {"ducklake": "DuckLake", "iceberg": "Iceberg by PyIceberg"}.items():
        target = tmp_path / way
        found[name] = [step(way, "first", first, target), step(way, "next_version", changed, target)]
        asked[name] = step(way, "query", target, DAY)
    rows = {name: query.result["rows"] for name, query in asked.items()}
    assert rows["ours"] and len(set(rows.values())) == 1, rows

    files = {"ours": ours / "2" / "breakeven.duckdb", **{way: tmp_path / way / file for way, file in CATALOGUES.items()}}
    plain = {way: _is_done(lambda file=file: _seen_whole(file)) for way, file in files.items()}
    moved = {}
    for way, folder in {"ours": ours, "ducklake": tmp_path / "ducklake", "iceberg": tmp_path / "iceberg"}.items():
        folder.rename(folder.with_name(f"{way} elsewhere"))
        moved[way] = _is_done(lambda way=way, folder=folder: step(way, "query", folder.with_name(f"{way} elsewhere"), DAY))
    assert plain["ours"] == moved["ours"] == "yes"

    parquet = [file for _, file in files_below(first)]
    count, mib = sum(map(rows_in, parquet)), sum(file.stat().st_size for file in parquet) / 2**20
    page.append(
        "## A version, and one of which a month differs, beside DuckLake and Iceberg\n\n"
        f"The four marts by month of the archive ({count:,} rows, {mib:.0f} MiB of Parquet in {len(parquet)} files), then a version with "
        "another figure in each row of the last month. Writing of Parquet, and of the DuckDB file or the catalogue; without imports. "
        f"Read: every row of one day in all four ({rows['ours']:,}), with the tables open, Iceberg by PyIceberg, the others by DuckDB. "
        "A plain client is DuckDB without extensions and without a way to other files; moved: the folder is read in another place.\n"
    )
    of_each = ["time", "CPU", "written"]
    head = ["what", *(f"first: {of}" for of in of_each), *(f"next: {of}" for of in of_each), "a day", "plain client", "moved"]
    lines = []
    for name, costs in found.items():
        way = {"DuckLake": "ducklake", "Iceberg by PyIceberg": "iceberg"}.get(name, "ours")
        query = asked.get(name, asked["ours"])
        figures = [text for cost in costs for text in (f"{cost.seconds:.1f} s", f"{cost.cpu_seconds:.1f} s", f"{cost.written_mib:.0f} MiB")]
        lines.append([name, *figures, f"{1e3 * query.result['seconds']:.0f} ms", plain[way], moved[way]])
    page.append(table(head, lines) + "\n")


def _seen_whole(file: Path) -> None:
    assert seen_by_a_plain_client(str(file)) == set(MARTS), "not all marts are there"


def _is_done(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (AssertionError, duckdb.Error) as error:
        print(str(error).strip().splitlines()[-1])
        return "no"
    return "yes"
