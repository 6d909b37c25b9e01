"""What every way is given, and how it is asked. Does not belong here: any way of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

MARTS = ("break_even", "cost_per_token", "gpu_price_rolling", "rented_price")


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each mart's name with the file of each month that is there."""
    for name in MARTS:
        for file in sorted((folder / name).glob("*.parquet")):
            yield name, file


def days_of(file: Path) -> tuple[date, date]:
    """The first day of a file's month, and of the one after."""
    first = date.fromisoformat(f"{file.stem}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def answered(rows_of: Callable[[str], Any]) -> dict[str, float]:
    """The rows of a day in all marts, and what they take: the median of five readings after one that opens what is to be opened."""
    rows, seconds = [len(rows_of(name)) for name in MARTS], []
    for _ in range(5):
        started = time.perf_counter()
        for name in MARTS:
            rows_of(name)
        seconds.append(time.perf_counter() - started)
    return {"rows": sum(rows), "seconds": statistics.median(seconds)}


def seen_by_a_plain_client(file: str) -> set[str]:
    """The marts whose rows DuckDB alone gives from a file: without extensions, and with no way to any other file."""
    connection = duckdb.connect(file, read_only=True, config={"enable_external_access": False})
    tables = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
    found = {name: f'{schema}."{name}"' for schema, name in tables if name in MARTS}
    return {name for name, table in found.items() if connection.execute(f"SELECT count(*) FROM {table}").fetchone() != (0,)}
