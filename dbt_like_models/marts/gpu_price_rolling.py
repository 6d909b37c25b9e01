"""Exact time-weighted rolling statistics of a price that is constant between changes.

Prices are whole units of 1e-8 USD and times whole seconds, so that every sum is exact and the same at any number of threads; the
one division comes last.
"""

from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.economics.guards import quotient

WINDOWS_DAYS = (7, 30, 90)
UNITS_PER_USD = 100_000_000
SECONDS_PER_DAY = 86_400


def gpu_price_rolling(price_interval: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per series, day and window with at least one covered second. The window of a day ends with that day (UTC)."""
    daily = daily_pieces(price_interval, as_of)
    dense = dense_days(daily, as_of)
    return pl.concat(rolling(dense, days) for days in WINDOWS_DAYS)


def daily_pieces(price_interval: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Per series and day with a covered second: integral of the price, covered seconds, least, greatest and last price, changes."""
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    priced = price_interval.filter(pl.col("usd_per_gpu_hour").is_not_null())
    by_series = {"partition_by": "series_id", "order_by": "valid_from"}
    units = (pl.col("usd_per_gpu_hour") * UNITS_PER_USD).round(0).cast(pl.Int64)
    pieces = (
        priced.select(
            "series_id",
            "valid_from",
            units=units,
            observed_day=pl.col("observed_at").dt.epoch("d").cast(pl.Int64),
            from_s=pl.col("valid_from").dt.epoch("s"),
            to_s=pl.coalesce("valid_to", pl.lit(end_of_day)).dt.epoch("s"),
        )
        .filter(pl.col("to_s") > pl.col("from_s"))
        .with_columns(is_change=pl.col("units").ne(pl.col("units").shift(1).over(**by_series)).fill_null(False))
        .with_columns(day=pl.int_ranges(pl.col("from_s") // SECONDS_PER_DAY, (pl.col("to_s") - 1) // SECONDS_PER_DAY + 1, dtype=pl.Int64))
        .explode("day")
        .with_columns(
            piece_from=pl.max_horizontal("from_s", pl.col("day") * SECONDS_PER_DAY),
            piece_to=pl.min_horizontal("to_s", (pl.col("day") + 1) * SECONDS_PER_DAY),
        )
        .with_columns(seconds=pl.col("piece_to") - pl.col("piece_from"))
    )
    return pieces.group_by("series_id", "day").agg(
        (pl.col("units") * pl.col("seconds")).sum().alias("integral"),
        pl.col("seconds").sum(),
        pl.col("units").min().alias("min_units"),
        pl.col("units").max().alias("max_units"),
        pl.col("units").sort_by("piece_to").last().alias("last_units"),
        # On a day inside an interval the price was last seen that day at the latest, as far as that day could know.
        pl.min_horizontal("observed_day", "day").sort_by("piece_to").last().alias("observed_day"),
        (pl.col("is_change") & (pl.col("piece_from") == pl.col("from_s"))).sum().cast(pl.Int64).alias("changes"),
    )


def dense_days(daily: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """The same on every day from the first covered one to the last whose longest window still reaches a covered one."""
    last_day = (as_of - date(1970, 1, 1)).days
    grid = (
        daily.group_by("series_id")
        .agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
        .select(
            "series_id",
            day=pl.int_ranges("first", pl.min_horizontal(pl.col("last") + max(WINDOWS_DAYS), last_day + 1), dtype=pl.Int64),
        )
        .explode("day")
    )
    return (
        grid.join(daily, on=["series_id", "day"], how="left")
        .sort("series_id", "day")
        .with_columns(
            pl.col("last_units", "observed_day").forward_fill().over("series_id", order_by="day"),
            covered_day=pl.when(pl.col("seconds") > 0).then(pl.col("day")).forward_fill().over("series_id", order_by="day"),
            on_date=pl.col("day").cast(pl.Int32).cast(pl.Date),
        )
        .with_columns(pl.col("integral", "seconds", "changes").fill_null(0))
    )


def rolling(dense: pl.LazyFrame, days: int) -> pl.LazyFrame:
    """Statistics of one window length."""
    usd = {name: pl.col(name).cast(pl.Float64) / UNITS_PER_USD for name in ("min_units", "max_units", "last_units")}
    mean_units = quotient(pl.col("integral").cast(pl.Float64), pl.col("seconds").cast(pl.Float64))
    return (
        dense.sort("series_id", "on_date")
        .rolling(index_column="on_date", period=f"{days}d", group_by="series_id")
        .agg(
            pl.col("integral", "seconds", "changes").sum(),
            pl.col("min_units").min(),
            pl.col("max_units").max(),
            pl.col("last_units", "covered_day", "observed_day").last(),
        )
        .filter(pl.col("seconds") > 0)
        .select(
            "series_id",
            "on_date",
            pl.lit(days, dtype=pl.Int64).alias("window_days"),
            (mean_units / UNITS_PER_USD).alias("mean_usd_per_gpu_hour"),
            usd["min_units"].alias("min_usd_per_gpu_hour"),
            usd["max_units"].alias("max_usd_per_gpu_hour"),
            usd["last_units"].alias("last_usd_per_gpu_hour"),
            pl.col("covered_day").cast(pl.Int32).cast(pl.Date).alias("last_covered_on"),
            pl.col("observed_day").cast(pl.Int32).cast(pl.Date).alias("last_observed_on"),
            (pl.col("seconds").cast(pl.Float64) / (days * SECONDS_PER_DAY)).alias("covered_share"),
            pl.col("changes").alias("change_count"),
        )
    )
