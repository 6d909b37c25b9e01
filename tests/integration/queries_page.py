"""Writes `docs/queries.md`: every question of `sql/queries` with the beginning of its answer.

`python -m tests.integration.queries_page PUBLISHED.duckdb`, on a version that was refreshed without a network, so that every row is of the
archive that ships.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.support.paths import ROOT

PAGE, FOLDER = ROOT / "docs" / "queries.md", ROOT / "sql" / "queries"
ROWS_SHOWN = 4
HEAD = """# Questions and answers in SQL

The questions of `sql/queries`, each with the first rows of its answer from the archive of this repository on {as_of}; other days give
other rows. Run one with `breakeven query - < sql/queries/<name>.sql`, or in any client (`docs/bi-tools.md`). Figures are shortened to four
digits, long texts are cut; what is unknown is a dash. Columns are explained in `docs/data-dictionary.md`."""


def queries() -> list[Path]:
    return sorted(FOLDER.glob("*.sql"))


def question(sql: str) -> str:
    lines = sql.strip().splitlines()
    above = lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
    return " ".join(line.removeprefix("--").strip() for line in above)


def columns_of(page: str) -> dict[str, list[str]]:
    """The columns that the page shows for each query, by the name of its file."""
    found = {}
    for part in page.split("\n## ")[1:]:
        head = next(line for line in part.splitlines() if line.startswith("| "))
        found[part.splitlines()[0]] = [column.strip(" `") for column in head.strip("|").split("|")]
    return found


def render(connection: duckdb.DuckDBPyConnection) -> str:
    (as_of,) = connection.execute("SELECT max(as_of_on) FROM bi.data_age").fetchall()[0]
    return "\n\n".join([HEAD.format(as_of=as_of), *(_section(path, connection) for path in queries())]) + "\n"


def _section(path: Path, connection: duckdb.DuckDBPyConnection) -> str:
    sql = path.read_text(encoding="utf-8")
    cursor = connection.execute(sql)
    names, rows = [column[0] for column in cursor.description], cursor.fetchall()
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(map(_shown, row))} |" for row in rows[:ROWS_SHOWN]]
    count = f"{len(rows):,} row{'s' * (len(rows) != 1)}" + (f", the first {ROWS_SHOWN}" if len(rows) > ROWS_SHOWN else "")
    return f"## {path.stem}\n\n{question(sql)}\n\n" + "\n".join(lines) + f"\n\n({count})"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as published:
        PAGE.write_text(render(published), encoding="utf-8")
    print(f"wrote {PAGE}")
