"""The SQL that is published with a version: the views of schema `bi`, the stable interface, and the analysts' macros.

Belongs here: reading `sql/bi` and `sql/macros`, what each column of a view means, what a view reads. Does not belong here: creating
them in a file (`publication`). A column of a view is the column of its name in `dbt_like_models/columns.yml`, or in `sql/bi/columns.yml`
where no table has it or a view means something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

from pipelines.catalogue.columns import Column, in_layer, load_columns
from pipelines.catalogue.contracts import Catalogue, ContractError, catalogue
from pipelines.catalogue.models import parsed_query, tables_read
from pipelines.platform.paths import SQL_FOLDER

BI = "bi"
# Begins the line above a view's statement that has its rows stored, and says why.
_STORED = "-- stored: "


@dataclass(frozen=True)
class View:
    """A view of schema `bi`: its SQL, what it is, its columns in order, and the tables and views that it reads (`schema.name`).

    `is_stored`: it speaks of the day of the version in many steps, so that a version keeps its rows and the view reads those.
    """

    name: str
    sql: str
    comment: str
    columns: tuple[Column, ...]
    reads: tuple[str, ...]
    is_stored: bool


@dataclass(frozen=True)
class Macro:
    """A macro of schema `marts`, scalar or table, with the statement that makes it and what it is."""

    name: str
    sql: str
    comment: str
    is_table: bool


@cache
def bi_views() -> dict[str, View]:
    """Every view of schema `bi` by name, in an order in which they can be made. Raises ContractError for a column that nobody declared."""
    return _views(catalogue())


def interface() -> dict[str, dict[str, str]]:
    """What other programs hold on to: the type of every column of every view, by name."""
    return {name: {column.name: column.type for column in view.columns} for name, view in sorted(bi_views().items())}


def macros() -> list[Macro]:
    """The analysts' macros, each with the comment that stands directly above it."""
    found = []
    for path in sorted((SQL_FOLDER / "macros").glob("*.sql")):
        for block in re.split(r"\n\s*\n(?=--|CREATE)", path.read_text(encoding="utf-8")):
            made = re.search(r"CREATE MACRO marts\.(\w+)\([^)]*\) AS( TABLE)?", block)
            if made is not None:
                found.append(Macro(made[1], block[made.start() :], _comment(block), made[2] is not None))
    return found


def _views(tables: Catalogue) -> dict[str, View]:
    declared = {**tables.columns, **load_columns(SQL_FOLDER / BI / "columns.yml")}
    views = {path.stem: _view(path.stem, path.read_text(encoding="utf-8"), declared) for path in sorted((SQL_FOLDER / BI).glob("*.sql"))}
    reads = {name: {table.removeprefix("bi.") for table in view.reads if table.startswith("bi.")} for name, view in views.items()}
    in_order = {name: views[name] for name in TopologicalSorter(reads).static_order()}
    of_ops: set[str] = set()
    for name, view in in_order.items():
        changing = [table for table in view.reads if table.startswith("ops.") or table in of_ops]
        if changing and view.is_stored:
            said = f"a stored view reads {changing[0]}, which reads schema ops and changes with a blocked refresh"
            raise ContractError(f"sql/bi/{name}.sql: {said}")
        if changing:
            of_ops.add(f"{BI}.{name}")
    return in_order


def _view(name: str, sql: str, declared: Mapping[str, Column]) -> View:
    where = f"sql/bi/{name}.sql"
    query = parsed_query(sql, where)
    reads = tuple(f"{table.db}.{table.name}" for table in tables_read(query, where))
    missing = [column for column in query.named_selects if column not in declared]
    if missing:
        raise ContractError(f"{where}: column {missing[0]!r} is in neither columns.yml nor sql/bi/columns.yml")
    columns = tuple(in_layer(declared[column], "marts") for column in query.named_selects)
    return View(name, sql, _comment(sql), columns, reads, any(line.startswith(_STORED) for line in _above(sql)))


def _above(sql: str) -> list[str]:
    lines = sql.strip().splitlines()
    return lines[: next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))]


def _comment(sql: str) -> str:
    return " ".join(line.removeprefix("--").strip() for line in _above(sql) if not line.startswith(_STORED))
