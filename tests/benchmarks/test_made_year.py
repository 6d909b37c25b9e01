"""A made year of the whole market: that it moves as the recorded history does."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from .made_year import EVERY_DAY, LAST_DAY, SELLERS, SERIES, days


def test_the_market_moves_as_measured() -> None:
    (before, yesterday), (after, today) = days(LAST_DAY - timedelta(days=1), LAST_DAY)
    [(_, alone)] = days(after, after)
    assert alone.equals(today)
    assert (before, after) == (LAST_DAY - timedelta(days=1), LAST_DAY)
    assert (today.height, today["cloud"].n_unique()) == (SERIES, SELLERS)
    assert today.select(pl.struct("cloud", "location", "instance_name", "spot").n_unique()).item() == SERIES
    moved = today.with_columns(factor=pl.col("price") / yesterday["price"]).filter(pl.col("factor") != 1)
    size = moved.filter("spot")["factor"].log().abs()
    assert moved.filter("spot").height / moved.height > 0.98
    assert size.median() == pytest.approx(EVERY_DAY.step, rel=0.1)
