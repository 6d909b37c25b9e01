"""What cannot be had is no comparator on the days on which that is said, and on no others."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.prices.availability import periods_that_can_be_had, that_can_be_had

DAYS = [dt.date(2026, 11, day) for day in (1, 2, 3, 4)]


def days_left(*rows: tuple[str, int, str | None]) -> dict[str, list[int]]:
    said = pl.LazyFrame(
        [{"series_id": series, "stated_on": dt.date(2026, 11, day), "offer_state": said} for series, day, said in rows],
        schema={"series_id": pl.String, "stated_on": pl.Date, "offer_state": pl.String},
    )
    every = pl.LazyFrame({"series_id": ["a"] * 4 + ["b"] * 4, "on_date": DAYS * 2})
    left = that_can_be_had(every, said).sort("series_id", "on_date").collect()
    periods = pl.LazyFrame({"series_id": ["a", "b"], "from_on": [DAYS[0]] * 2, "end_on": [dt.date(2026, 11, 5)] * 2})
    of_periods = (
        periods_that_can_be_had(periods, said)
        .with_columns(on_date=pl.date_ranges("from_on", "end_on", closed="left"))
        .explode("on_date", empty_as_null=False)
        .select("series_id", "on_date")
        .sort("series_id", "on_date")
        .collect()
    )
    assert of_periods.equals(left)
    return {name: [day.day for day in left.filter(pl.col("series_id") == name)["on_date"]] for name in ("a", "b")}


def test_of_whom_nobody_says_anything_is_compared() -> None:
    assert days_left() == {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]}


def test_sold_out_from_the_day_on_which_it_is_said_until_it_is_taken_back() -> None:
    assert days_left(("a", 1, "available"), ("a", 2, "none"), ("a", 4, "scarce")) == {"a": [1, 4], "b": [1, 2, 3, 4]}


@pytest.mark.parametrize("said", ["on_request", "unlisted"])
def test_a_price_to_ask_for_and_one_that_is_not_listed_are_none(said: str) -> None:
    assert days_left(("b", 1, said)) == {"a": [1, 2, 3, 4], "b": []}


def test_what_is_listed_again_without_a_word_can_be_had() -> None:
    assert days_left(("a", 2, "unlisted"), ("a", 4, None))["a"] == [1, 4]
