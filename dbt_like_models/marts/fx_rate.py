"""Reference rates for analysts."""

import polars as pl


def fx_rate(currency_rate: pl.LazyFrame) -> pl.LazyFrame:
    """One row per currency and day."""
    return currency_rate.with_columns(pl.col("units_per_eur", "usd_per_unit").cast(pl.Float64)).drop("snapshot_sha256")
