"""A row that no computation can take is found and named; the others go on as if it had not been there."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.quality.failing_rows import MOST_FAILING_ROWS, computed_without_failing_rows

ROWS = pl.DataFrame({"source": ["a"] * 40, "amount": [str(n) for n in range(40)]})


def doubled(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(twice=pl.col("amount").cast(pl.Int64) * 2)


def with_amounts(**amounts: str) -> pl.DataFrame:
    return ROWS.with_columns(amount=pl.Series([amounts.get(f"at_{n}", str(n)) for n in range(40)]))


def test_without_a_failing_row_it_is_computed_once() -> None:
    asked = []
    found = computed_without_failing_rows(ROWS, lambda rows: (asked.append(rows.height), doubled(rows))[1])
    assert found.frame.equals(doubled(ROWS)) and found.failing.is_empty() and asked == [40]


@pytest.mark.parametrize("places", [(0,), (39,), (7, 8), (0, 13, 39)])
def test_failing_rows_are_named_with_their_error_and_the_others_computed(places: tuple[int, ...]) -> None:
    found = computed_without_failing_rows(with_amounts(**{f"at_{n}": f"dear {n}" for n in places}), doubled)
    assert found.frame.get_column("twice").to_list() == [2 * n for n in range(40) if n not in places]
    assert found.failing.get_column("amount").to_list() == [f"dear {n}" for n in places]
    assert all("conversion" in text for text in found.errors)


def test_the_error_of_a_panic_is_that_of_its_row() -> None:
    def panics(rows: pl.DataFrame) -> pl.DataFrame:
        if (rows.get_column("amount") == "13").any():
            raise pl.exceptions.PanicException("not a number of this earth")
        return rows

    found = computed_without_failing_rows(ROWS, panics)
    assert found.failing.get_column("amount").to_list() == ["13"] and found.errors == ("PanicException: not a number of this earth",)


def test_what_fails_without_any_row_or_with_most_of_them_is_no_fault_of_a_row() -> None:
    def broken(_rows: pl.DataFrame) -> pl.DataFrame:
        raise KeyError("a column that went away")

    with pytest.raises(KeyError):
        computed_without_failing_rows(ROWS, broken)
    with pytest.raises(pl.exceptions.PolarsError):
        computed_without_failing_rows(with_amounts(**{f"at_{n}": "dear" for n in range(MOST_FAILING_ROWS + 1)}), doubled)


def test_what_fails_only_together_is_no_fault_of_a_row() -> None:
    def fails_together(rows: pl.DataFrame) -> pl.DataFrame:
        if rows.height > 30:
            raise ValueError("too many")
        return rows

    with pytest.raises(ValueError, match="too many"):
        computed_without_failing_rows(ROWS, fails_together)


def test_memory_that_runs_out_is_no_fault_of_a_row() -> None:
    asked = []

    def starved(rows: pl.DataFrame) -> pl.DataFrame:
        asked.append(rows.height)
        raise MemoryError

    with pytest.raises(MemoryError):
        computed_without_failing_rows(ROWS, starved)
    assert asked == [40]
