"""Iceberg tables partitioned by month, written and read by PyIceberg with a catalogue in SQLite.

DuckDB writes such tables only through a catalogue service, and its extension for 1.4.4 finds none of their rows under a condition on the
day. Needs `pyiceberg[pyarrow,pyiceberg-core,sql-sqlite]`.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.transforms import MonthTransform

from .given import MARTS, answered, days_of, files_below

CATALOGUE = "catalogue.sqlite"


def first(given: str, target: str) -> None:
    """All tables, each in a transaction of its own."""
    Path(target).mkdir()
    catalogue = _opened(target)
    catalogue.create_namespace("marts")
    for name in MARTS:
        rows = pq.ParquetDataset([str(file) for own, file in files_below(Path(given)) if own == name]).read()
        table = catalogue.create_table(f"marts.{name}", rows.schema)
        with table.update_spec() as spec:
            spec.add_field("on_date", MonthTransform(), "month")
        table.append(rows)


def next_version(given: str, target: str) -> None:
    """The rows of a month overwritten, each table in a transaction of its own."""
    catalogue = _opened(target)
    for name, file in files_below(Path(given)):
        begin, end = days_of(file)
        chosen = f"on_date >= '{begin}' AND on_date < '{end}'"
        catalogue.load_table(f"marts.{name}").overwrite(pq.read_table(file), overwrite_filter=chosen)


def query(target: str, day: str) -> dict[str, float]:
    """By PyIceberg."""
    catalogue = _opened(target)
    tables = {name: catalogue.load_table(f"marts.{name}") for name in MARTS}
    return answered(lambda name: tables[name].scan(row_filter=f"on_date = '{day}'").to_arrow())


def _opened(target: str) -> SqlCatalog:
    return SqlCatalog("local", uri=f"sqlite:///{target}/{CATALOGUE}", warehouse=f"file://{target}")
