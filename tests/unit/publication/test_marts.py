"""A file that is brought from some parts to others holds what one holds that is made of the latter alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue.contracts import Contract, catalogue
from pipelines.publication.encoding import STORED
from pipelines.publication.marts import held_by, hold
from pipelines.publication.parts import WHOLE, Part, sha256_of
from tests.support.examples import examples

# One with dictionaries, one as it is, one that is a plain table where it is whole.
CONTRACTS = [catalogue().tables[name] for name in ("price_history", "gpu_price_rolling", "gpu")]
MONTHS = ("2026-09", "2026-10", "2026-11")
# A mart whole, or in parts: for each a number that its rows follow from.
CONTENT = st.integers(1, 4).map(lambda number: {WHOLE: number}) | st.dictionaries(st.sampled_from(MONTHS), st.integers(1, 4), min_size=1)
State = Mapping[str, Mapping[str, int]]
STATES = st.lists(st.fixed_dictionaries({c.name: CONTENT for c in CONTRACTS}), min_size=2, max_size=5)
TABLES = "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'marts' ORDER BY ALL"


def rows_of(contract: Contract, part: str, number: int) -> pl.DataFrame:
    """As many rows as the number says, some of whose texts other numbers and parts have too."""
    made = []
    for row in range(number):
        at = dt.datetime(2026, 9 if part == WHOLE else int(part[5:]), 1 + row, 0, 0, row, number)
        values = {pl.String: f"text {row % 2} {number // 2}", pl.Float64: 8.0 * row / number, pl.Int64: number, pl.Boolean: row % 2 == 0}
        values |= {pl.Datetime: at, pl.Date: at.date()}
        kinds = contract.polars_schema().items()
        made.append({n: None if n in contract.nullable and (row + len(n)) % 3 == 0 else values[k.base_type()] for n, k in kinds})
    return pl.DataFrame(made, schema=contract.polars_schema(), orient="row").sort(contract.grain)


def parts_of(folder: Path, state: State) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for contract in CONTRACTS:
        for part, number in sorted(state[contract.name].items()):
            file = folder / f"{contract.name}{part}{number}.parquet"
            rows = rows_of(contract, part, number)
            if not file.exists():
                rows.write_parquet(file)
            found.setdefault(contract.name, []).append(Part(part, file, rows.height, sha256_of(file)))
    return found


def brought_to(file: Path, parts: Mapping[str, Sequence[Part]]) -> None:
    with duckdb.connect(str(file)) as connection:
        hold(connection, CONTRACTS, parts, "this")


def differing(one: Path, other: Path) -> list[str]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)")
        found = []
        for contract in CONTRACTS:
            a, b = f"FROM one.marts.{contract.name}", f"FROM other.marts.{contract.name}"
            rows = connection.execute(f"({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a})").fetchall()
            found += [f"{contract.name}: {row}" for row in rows]
        return found


@examples(15)
@given(STATES)
def test_what_was_changed_is_as_what_was_made_anew(states: list[State]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, state in enumerate(states):
            parts = parts_of(folder, state)
            brought_to(folder / "changed.duckdb", parts)
            brought_to(folder / f"{number}.duckdb", parts)
            assert differing(folder / "changed.duckdb", folder / f"{number}.duckdb") == []
            with duckdb.connect(str(folder / "changed.duckdb")) as one, duckdb.connect(str(folder / f"{number}.duckdb")) as other:
                assert one.execute(TABLES).fetchall() == other.execute(TABLES).fetchall()
                held = held_by(one)
            assert held is not None and held.software == "this" and held.updates == number
            assert held.parts == {name: {part.name: part.sha256 for part in own} for name, own in parts.items()}


def test_a_part_that_stays_is_not_touched(tmp_path: Path) -> None:
    state = {c.name: dict.fromkeys(MONTHS, 3) for c in CONTRACTS}
    brought_to(tmp_path / "x.duckdb", parts_of(tmp_path, state))
    where = f"SELECT part, list(rowid ORDER BY rowid) FROM {STORED}.price_history GROUP BY part ORDER BY part"
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        before = dict(connection.execute(where).fetchall())
    parts = parts_of(tmp_path, {**state, "price_history": {**state["price_history"], "2026-11": 4}})
    # What is not read again may be gone.
    for own in parts.values():
        for part in own:
            if (own is not parts["price_history"]) or part.name != "2026-11":
                part.file.unlink()
    brought_to(tmp_path / "x.duckdb", parts)
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        after = dict(connection.execute(where).fetchall())
    assert {part: len(rows) for part, rows in after.items()} == {"2026-09": 3, "2026-10": 3, "2026-11": 4}
    assert {part: rows for part, rows in after.items() if part != "2026-11"} == {part: before[part] for part in MONTHS[:2]}


def test_the_part_of_a_row_is_not_shown_and_is_said_in_the_store(tmp_path: Path) -> None:
    brought_to(tmp_path / "x.duckdb", parts_of(tmp_path, {c.name: {"2026-11": 2} for c in CONTRACTS}))
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        for contract in CONTRACTS:
            assert connection.sql(f"FROM marts.{contract.name}").columns == contract.column_names
            assert connection.execute(f"SELECT DISTINCT part FROM {STORED}.{contract.name}").fetchall() == [("2026-11",)]


def test_many_months_of_a_wide_mart_take_little_memory(tmp_path: Path) -> None:
    contract = catalogue().tables["cost_per_token"]
    texts = [n for n, kind in contract.polars_schema().items() if kind == pl.String]
    parts = []
    for month in range(120):
        name, rows = f"{2016 + month // 12}-{1 + month % 12:02}", rows_of(contract, "2026-11", 20)
        many = pl.concat([rows.with_columns(pl.lit(f"text {month} {n}").alias(text) for text in texts) for n in range(100)])
        file = tmp_path / f"{name}.parquet"
        many.write_parquet(file)
        parts.append(Part(name, file, many.height, sha256_of(file)))
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '192MB'; SET threads = 2")
        connection.execute("SET temp_directory = ?", [str(tmp_path / "aside")])
        connection.execute(f"ATTACH '{tmp_path / 'file.duckdb'}' AS made; USE made")
        hold(connection, [contract], {contract.name: parts}, "this")
        found = connection.execute("SELECT part, count(*) FROM stored.cost_per_token GROUP BY ALL ORDER BY ALL").fetchall()
        assert found == [(part.name, 2_000) for part in parts]
