"""Made rows of a table that is written in parts."""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipelines.catalogue.contracts import catalogue

CONTRACT = catalogue().tables["gpu_price_rolling"]


def windows(number: int, count: int, month: int = 1, usd: float = 1.0) -> pl.LazyFrame:
    """So many series on one day, with ids that begin with `number`."""
    day = pl.lit(dt.date(2026, month, 1))
    figures = {c: pl.lit(usd) for c in CONTRACT.column_names if c.endswith("_usd_per_gpu_hour")}
    made = pl.LazyFrame({"series_id": [f"{number:04}{n:012}" for n in range(count)]}, schema={"series_id": pl.String}).with_columns(
        on_date=day,
        window_days=pl.lit(7, dtype=pl.Int64),
        last_covered_on=day,
        last_observed_on=day,
        covered_share=pl.lit(1.0),
        change_count=pl.lit(0, dtype=pl.Int64),
        **figures,
    )
    return made.select(CONTRACT.column_names)
