"""Exact time-weighted statistics of prices that are constant between changes.

Belongs here: from intervals to the statistics of windows that end with a day. Does not belong here: where intervals come from, the
tables' column names. Prices are whole units of 1e-8 USD and times whole seconds, sums are 64 or 128 bit integers: they are exact, and
the same however rows fall on threads. Each division comes last.

An interval is looked at once, on the day on which it begins; what it covers of later days is carried there as one price a day. So the
cost grows with the number of intervals plus the number of days of each series, not with their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import polars as pl

WINDOWS_DAYS = (7, 30, 90)
UNITS_PER_USD = 100_000_000
SECONDS_PER_DAY = 86_400
# Days since 1970 stay below this until the year 4841.
_DAYS_PER_SERIES = 1 << 20


def intervals_in_units(price_interval: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Intervals that have a price per GPU-hour as input of `rolling_statistics`; open ones end with `as_of`."""
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    return (
        price_interval.filter(pl.col("usd_per_gpu_hour").is_not_null())
        .sort("series_id", "valid_from")
        .select(
            "series_id",
            units=(pl.col("usd_per_gpu_hour") * UNITS_PER_USD).round(0).cast(pl.Int64),
            from_s=pl.col("valid_from").dt.epoch("s"),
            to_s=pl.coalesce("valid_to", pl.lit(end_of_day)).dt.epoch("s"),
            observed_day=pl.col("observed_at").dt.epoch("d").cast(pl.Int64),
        )
    )


def in_usd(statistics: pl.LazyFrame) -> pl.LazyFrame:
    """Result of `rolling_statistics` as rows of `marts.gpu_price_rolling`."""

    def usd(name: str) -> pl.Expr:
        # Multiplied, for the same reason as in `_divided`: a frame of one row is divided in another way than one of many.
        return (pl.col(f"{name}_units").cast(pl.Float64) * (1 / UNITS_PER_USD)).alias(f"{name}_usd_per_gpu_hour")

    def on(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.Int32).cast(pl.Date)

    return statistics.select(
        "series_id",
        on("day").alias("on_date"),
        "window_days",
        *(usd(name) for name in ("mean", "volatility", "min", "max", "last")),
        on("covered_day").alias("last_covered_on"),
        on("observed_day").alias("last_observed_on"),
        _divided(pl.col("seconds").cast(pl.Float64), (pl.col("window_days") * SECONDS_PER_DAY).cast(pl.Float64)).alias("covered_share"),
        pl.col("changes").alias("change_count"),
    )


def rolling_statistics(intervals: pl.LazyFrame, last_day: int, windows_days: Sequence[int] = WINDOWS_DAYS) -> pl.LazyFrame:
    """Statistics of each series for every day and window with at least one covered second, up to `last_day`.

    `intervals`: `series_id` (any sortable type), `units` (1e-8 USD), `from_s`, `to_s` (seconds since 1970, [from, to), not
    overlapping within a series), `observed_day` (days since 1970, when the price was last seen); sorted by series and time.
    Gives `series_id`, `day`, `window_days`, `mean_units`, `volatility_units` (time-weighted standard deviation), `min_units`,
    `max_units`, `last_units`, `covered_day` (last day with a covered second), `observed_day`, `seconds` covered, `changes`; in the
    order of series, window and day.
    """
    dense = dense_days(intervals, last_day, max(windows_days))
    return pl.concat(_window(dense, days) for days in windows_days)


def statistics_on(intervals: pl.LazyFrame, day: int, windows_days: Sequence[int] = WINDOWS_DAYS) -> pl.LazyFrame:
    """The rows of `rolling_statistics` for one day alone, each window summed by itself.

    `intervals` as there, at least those that reach into the longest window, and the one before them.
    """
    end_s = (day + 1) * SECONDS_PER_DAY
    begun = (
        intervals.filter((pl.col("to_s") > pl.col("from_s")) & (pl.col("from_s") < end_s))
        .with_columns(
            to_s=pl.min_horizontal("to_s", pl.lit(end_s)),
            is_change=(pl.col("units") != pl.col("units").shift(1)) & (pl.col("series_id") == pl.col("series_id").shift(1)),
        )
        .with_columns(covered_day=(pl.col("to_s") - 1) // SECONDS_PER_DAY)
    )
    return pl.concat(_ending_with(begun, end_s, days, day) for days in windows_days)


def _ending_with(begun: pl.LazyFrame, end_s: int, days: int, day: int) -> pl.LazyFrame:
    start_s = end_s - days * SECONDS_PER_DAY
    summed = (
        begun.filter(pl.col("to_s") > start_s)
        .with_columns(seconds=pl.col("to_s") - pl.max_horizontal("from_s", pl.lit(start_s)))
        .group_by("series_id")
        .agg(
            (pl.col("units") * pl.col("seconds")).sum().alias("integral"),
            (pl.col("units").cast(pl.Int128) * pl.col("units") * pl.col("seconds")).sum().alias("square_integral"),
            pl.col("seconds").sum(),
            pl.col("units").min().alias("min_units"),
            pl.col("units").max().alias("max_units"),
            pl.col("units", "covered_day", "observed_day").sort_by("from_s").last(),
            (pl.col("is_change") & (pl.col("from_s") >= start_s)).sum().cast(pl.Int64).alias("changes"),
        )
        .sort("series_id")
        .with_columns(day=pl.lit(day, dtype=pl.Int64), observed_day=pl.min_horizontal("observed_day", "covered_day"))
        .rename({"units": "last_units"})
    )
    return _statistics(summed, days)


def dense_days(intervals: pl.LazyFrame, last_day: int, reach_days: int) -> pl.LazyFrame:
    """One row per series and day, from its first covered day until `reach_days` after its last, at most `last_day`: the day's sums.

    `seconds`, `integral` (units x s), `square_integral` (units^2 x s), `changes`, `min_units`, `max_units`, and what is last known on
    that day: `last_units`, `covered_day`, `observed_day`.
    """
    keyed = intervals.filter(pl.col("to_s") > pl.col("from_s")).with_columns(
        series=pl.col("series_id").rle_id().cast(pl.Int64), day=pl.col("from_s") // SECONDS_PER_DAY
    )
    begun = (
        keyed.with_columns(
            key=pl.col("series") * _DAYS_PER_SERIES + pl.col("day"),
            begun_seconds=pl.min_horizontal("to_s", (pl.col("day") + 1) * SECONDS_PER_DAY) - pl.col("from_s"),
            is_change=(pl.col("units") != pl.col("units").shift(1)) & (pl.col("series") == pl.col("series").shift(1)),
        )
        .group_by("key")
        .agg(
            pl.col("begun_seconds").sum(),
            (pl.col("units") * pl.col("begun_seconds")).sum().alias("begun_integral"),
            (pl.col("units").cast(pl.Int128) * pl.col("units") * pl.col("begun_seconds")).sum().alias("begun_square_integral"),
            pl.col("units").min().alias("begun_min"),
            pl.col("units").max().alias("begun_max"),
            pl.col("is_change").sum().cast(pl.Int64).alias("changes"),
            pl.col("from_s").min(),
            pl.col("units", "to_s", "observed_day").sort_by("from_s").last(),
        )
    )
    grid = (
        keyed.group_by("series")
        .agg(pl.col("series_id").first(), pl.col("day").min().alias("first"), pl.col("to_s").max())
        .sort("series")
        .select(
            "series_id",
            "series",
            day=pl.int_ranges(
                "first",
                pl.min_horizontal((pl.col("to_s") - 1) // SECONDS_PER_DAY + reach_days, pl.lit(last_day + 1)),
                dtype=pl.Int64,
            ),
        )
        .explode("day", empty_as_null=False)
        .with_columns(key=pl.col("series") * _DAYS_PER_SERIES + pl.col("day"))
    )
    # The price that runs into a day from before covers it until the first interval that begins on it.
    before = {name: pl.col(name).forward_fill().shift(1).over("series", order_by="day") for name in ("units", "to_s")}
    carried_until = pl.min_horizontal(before["to_s"], pl.coalesce("from_s", pl.lit(2**62)), (pl.col("day") + 1) * SECONDS_PER_DAY)
    return (
        grid.join(begun, on="key", how="left")
        .sort("key")
        .with_columns(carried_units=before["units"], carried=carried_until - pl.col("day") * SECONDS_PER_DAY)
        .with_columns(carried=pl.when(pl.col("carried_units").is_not_null()).then(pl.col("carried").clip(0)).otherwise(0))
        .with_columns(carried_units=pl.when(pl.col("carried") > 0).then("carried_units"))
        .select(
            "series_id",
            "series",
            "day",
            seconds=pl.col("begun_seconds").fill_null(0) + pl.col("carried"),
            integral=pl.col("begun_integral").fill_null(0) + (pl.col("carried_units") * pl.col("carried")).fill_null(0),
            square_integral=pl.col("begun_square_integral").fill_null(0)
            + (pl.col("carried_units").cast(pl.Int128) * pl.col("carried_units") * pl.col("carried")).fill_null(0),
            min_units=pl.min_horizontal("begun_min", "carried_units"),
            max_units=pl.max_horizontal("begun_max", "carried_units"),
            changes=pl.col("changes").fill_null(0),
            last_units=pl.col("units").forward_fill().over("series", order_by="day"),
            observed_day=pl.col("observed_day").forward_fill().over("series", order_by="day"),
        )
        .with_columns(covered_day=pl.when(pl.col("seconds") > 0).then("day").forward_fill().over("series", order_by="day"))
        # On a day inside an interval the price was last seen that day at the latest.
        .with_columns(observed_day=pl.min_horizontal("observed_day", "covered_day"))
    )


def _window(dense: pl.LazyFrame, days: int) -> pl.LazyFrame:
    def total(name: str) -> pl.Expr:
        running = pl.col(name).cum_sum()
        return (running - running.shift(days).fill_null(0)).over("series", order_by="day")

    def extreme(name: str) -> pl.Expr:
        values = pl.col(name)
        least = name == "min_units"
        rolled = values.rolling_min(days, min_samples=1) if least else values.rolling_max(days, min_samples=1)
        return rolled.over("series", order_by="day")

    return _statistics(
        dense.with_columns(
            *(total(name) for name in ("seconds", "integral", "square_integral", "changes")),
            *(extreme(name) for name in ("min_units", "max_units")),
        ).filter(pl.col("seconds") > 0),
        days,
    )


def _statistics(summed: pl.LazyFrame, days: int) -> pl.LazyFrame:
    seconds = pl.col("seconds").cast(pl.Float64)
    wide = pl.col("integral").cast(pl.Int128)
    spread = pl.col("square_integral") * pl.col("seconds").cast(pl.Int128) - wide * wide
    return summed.select(
        "series_id",
        "day",
        pl.lit(days, dtype=pl.Int64).alias("window_days"),
        mean_units=_divided(pl.col("integral").cast(pl.Float64), seconds),
        volatility_units=_divided(spread.cast(pl.Float64).sqrt(), seconds),
        min_units="min_units",
        max_units="max_units",
        last_units="last_units",
        covered_day="covered_day",
        observed_day="observed_day",
        seconds="seconds",
        changes="changes",
    )


def _divided(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    # By way of 1 / divisor: polars divides by a column that is constant in a chunk as by a number, which differs in the last bit.
    return dividend * (1 / divisor)
