"""Long tables in the published file: whatever the rows are, the view gives them back, with names, types and comments of the contract."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue.contracts import Contract, catalogue
from pipelines.publication.encoding import STORED, EncodedTable
from tests.support.examples import examples

CONTRACT = catalogue().tables["price_history"]
TIMES = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999))
AMOUNTS = st.floats(0, 1e9, allow_nan=False) | st.sampled_from([55.04, 6.88, 0.1, 0.3])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)


def rows_of(contract: Contract) -> st.SearchStrategy[dict[str, object]]:
    def values(name: str, kind: pl.DataType) -> st.SearchStrategy[object]:
        found: st.SearchStrategy[object]
        if name == "gpu_count":
            found = st.sampled_from([0.5, 1.0, 3.0, 8.0])
        elif kind == pl.String:
            found = TEXTS
        elif kind == pl.Float64:
            found = AMOUNTS
        elif kind == pl.Int64:
            found = st.integers(0, 36)
        elif kind == pl.Boolean:
            found = st.booleans()
        elif kind == pl.Date:
            found = st.dates()
        else:
            found = TIMES
        return st.none() | found if name in contract.nullable else found

    def multiplied(row: dict[str, object]) -> dict[str, object]:
        def product(first: object, second: object) -> float | None:
            return first * second if isinstance(first, float) and isinstance(second, float) else None

        return {**row, **{name: product(row[first], row[second]) for name, (first, second) in contract.products.items()}}

    def usual(row: dict[str, object]) -> dict[str, object]:
        hour, count = row["usd_per_hour"], row["gpu_count"]
        per_gpu = hour / count if isinstance(hour, float) and isinstance(count, float) else None
        return {**row, "usd_per_gpu_hour": per_gpu, "native_amount": hour or 1.5}

    rows = st.fixed_dictionaries({n: values(n, k) for n, k in contract.polars_schema().items()})
    if contract.encoding is not None and contract.encoding.derived:
        return rows | rows.map(usual)
    return rows.map(multiplied)


def given_back(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA marts; CREATE SCHEMA {STORED}")
        connection.register("incoming", rows.to_arrow())
        table = EncodedTable(connection, contract, is_in_parts=False)
        table.create()
        table.insert("incoming")
        comments = connection.execute("SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'marts' ORDER BY column_index")
        assert comments.fetchall() == [(c.name, c.comment) for c in contract.columns]
        found: pl.DataFrame = connection.sql(f"FROM marts.{contract.name}").pl()
        return found


@examples(25)
@given(st.data())
@pytest.mark.parametrize("name", [c.name for c in catalogue().layer("marts") if c.encoding is not None])
def test_every_row_comes_back(name: str, data: st.DataObject) -> None:
    contract = catalogue().tables[name]
    rows = pl.DataFrame(data.draw(st.lists(rows_of(contract), max_size=6)), schema=contract.polars_schema(), orient="row")
    found = given_back(contract, rows)
    assert found.schema == contract.polars_schema()
    assert found.sort(contract.column_names).equals(rows.sort(contract.column_names), null_equal=True)


def test_rows_are_in_the_order_of_the_key() -> None:
    rows = [one_row(series_id=series, valid_from=dt.datetime(2026, 1, day)) for series in ("b", "a") for day in (3, 1, 2)]
    found = given_back(CONTRACT, pl.concat(rows)).select(CONTRACT.grain)
    assert found.rows() == [(series, dt.datetime(2026, 1, day)) for series in ("a", "b") for day in (1, 2, 3)]


def one_row(**other: object) -> pl.DataFrame:
    values = {
        pl.String: "one",
        pl.Float64: 8.0,
        pl.Int64: 1,
        pl.Datetime: dt.datetime(2026, 1, 1),
    }
    row = {name: values[kind.base_type()] for name, kind in CONTRACT.polars_schema().items()}
    return pl.DataFrame([{**row, **other}], schema=CONTRACT.polars_schema(), orient="row")


def test_an_unknown_amount_stays_unknown() -> None:
    row = one_row(usd_per_gpu_hour=None)
    assert given_back(CONTRACT, row).equals(row, null_equal=True)


def test_what_is_as_usual_takes_no_room() -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA marts; CREATE SCHEMA {STORED}")
        connection.register("incoming", one_row(usd_per_gpu_hour=8.0, gpu_count=1.0).to_arrow())
        table = EncodedTable(connection, CONTRACT, is_in_parts=False)
        table.create()
        table.insert("incoming")
        stored = connection.execute("SELECT usd_per_hour, usd_per_gpu_hour, native_amount, known_from_s FROM stored.price_history")
        assert stored.fetchall() == [(8.0, None, None, 0)]


ROLLING = catalogue().tables["gpu_price_rolling"]


def window(series: str, on: dt.date, usd: float, days: int = 30) -> dict[str, object]:
    figures = {name: usd for name in ROLLING.column_names if name.endswith("_usd_per_gpu_hour")}
    row = {"series_id": series, "on_date": on, "window_days": days, "last_covered_on": on, "last_observed_on": on}
    return {**row, **figures, "covered_share": 1.0, "change_count": 0}


def runs(rows: list[dict[str, object]]) -> tuple[pl.DataFrame, list[tuple[object, ...]]]:
    """What the view gives of rows in parts by month, and the runs that are stored."""
    frame = pl.DataFrame(rows, schema=ROLLING.polars_schema(), orient="row")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA marts; CREATE SCHEMA {STORED}")
        table = EncodedTable(connection, ROLLING, is_in_parts=True)
        table.create()
        for month, own in frame.group_by(pl.col("on_date").dt.strftime("%Y-%m")):
            connection.register("incoming", own.to_arrow())
            table.insert(f"(SELECT '{month[0]}' AS part, * FROM incoming)")
        stored = connection.execute("SELECT part, first_on, last_on, mean_usd_per_gpu_hour FROM stored.gpu_price_rolling ORDER BY ALL")
        found = stored.fetchall()
        given: pl.DataFrame = connection.sql("FROM marts.gpu_price_rolling").pl()
        assert given.sort(ROLLING.column_names).equals(frame.sort(ROLLING.column_names), null_equal=True)
        return given, found


def test_days_on_which_nothing_changes_are_a_run_that_ends_with_its_month() -> None:
    first = dt.date(2026, 1, 30)
    rows = [window("a", first + dt.timedelta(days=n), 2.0 if n < 4 else 3.0) for n in range(6) if n != 1]
    _, found = runs(rows)
    assert found == [
        ("2026-01", dt.date(2026, 1, 30), dt.date(2026, 1, 30), 2.0),
        ("2026-02", dt.date(2026, 2, 1), dt.date(2026, 2, 2), 2.0),
        ("2026-02", dt.date(2026, 2, 3), dt.date(2026, 2, 4), 3.0),
    ]


@examples(25)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 70), st.sampled_from([7, 30]), st.integers(0, 1)), unique_by=lambda r: r[:3])
)
def test_runs_give_every_day_back(drawn: list[tuple[str, int, int, int]]) -> None:
    rows = [window(series, dt.date(2026, 1, 15) + dt.timedelta(days=day), float(usd), days) for series, day, days, usd in drawn]
    given, found = runs(rows)
    assert given.height == len(rows) >= len(found)
