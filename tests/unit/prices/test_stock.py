"""What cannot be had is no comparator on the days on which its source says so, and on no others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.prices.stock import stock_by_day, that_can_be_had

KEY = catalogue().keys["series"]
DAYS = [dt.date(2026, 11, day) for day in (1, 2, 3, 4)]


def observed(*rows: tuple[str, int, str | None]) -> pl.LazyFrame:
    schema = catalogue().feed_schema("observation")
    stated: list[dict[str, Any]] = [
        {
            "sku": sku,
            "stock": stock,
            "known_from": dt.datetime(2026, 11, day),
            "last_confirmed_at": dt.datetime(2026, 11, day),
            "precedence": 100,
        }
        for sku, day, stock in rows
    ]
    return pl.LazyFrame([{**dict.fromkeys(schema), **row} for row in stated], schema=schema)


def series(*skus: str) -> pl.LazyFrame:
    return pl.LazyFrame(
        [{**dict.fromkeys(KEY), "series_id": sku, "sku": sku} for sku in skus],
        schema={**dict.fromkeys(KEY, pl.String), "commitment_months": pl.Int64, "series_id": pl.String},
    )


def days_left(*rows: tuple[str, int, str | None], as_of: dt.date = DAYS[-1]) -> dict[str, list[int]]:
    stock = stock_by_day(observed(*rows), series("a", "b"), as_of, KEY)
    every = pl.LazyFrame({"series_id": ["a"] * 4 + ["b"] * 4, "on_date": DAYS * 2})
    left = that_can_be_had(every, stock).sort("series_id", "on_date").collect()
    return {name: [day.day for day in left.filter(pl.col("series_id") == name)["on_date"]] for name in ("a", "b")}


def test_of_whom_nobody_says_anything_is_compared() -> None:
    assert days_left() == {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]}


def test_sold_out_from_the_day_on_which_it_is_said_until_it_is_taken_back() -> None:
    assert days_left(("a", 1, "available"), ("a", 2, "none"), ("a", 4, "scarce")) == {"a": [1, 4], "b": [1, 2, 3, 4]}


def test_a_price_to_ask_for_is_none() -> None:
    assert days_left(("b", 1, "on_request")) == {"a": [1, 2, 3, 4], "b": []}


def test_what_is_said_later_changes_no_day_before() -> None:
    assert days_left(("a", 4, "none"), as_of=DAYS[2])["a"] == [1, 2, 3, 4]


def test_at_one_instant_the_better_word_counts_once() -> None:
    assert days_left(("a", 2, "none"), ("a", 2, "none"))["a"] == [1]
