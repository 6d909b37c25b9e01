"""Any amount of history, a bucket of series at a time: a bucket needs no other, so it may as well be computed elsewhere.

Belongs here: Parquet in buckets on a local path or an object store, and the work of one bucket. Does not belong here: the statistics
(`rolling`), which machine does what (`distributed`).

A folder holds one file per bucket, `bucket=<number>.parquet`, sorted by series and time, a series in one bucket. Its rows are intervals
(`series_id`, `valid_from`, `valid_to`, `observed_at`, `usd_per_gpu_hour`, as in `marts.price_history`), or changes (`series_id`,
`changed_at_s` in seconds since 1970, `usd_per_gpu_hour`) that hold until the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

import polars as pl

from pipelines.history.rolling import SECONDS_PER_DAY, UNITS_PER_USD, in_usd, intervals_in_units, rolling_statistics
from pipelines.platform.parquet import ROW_GROUP_ROWS

# A bucket of this size stays well below 1 GiB while it is computed: about 80 bytes per change, and 1 MB per series of half a year.
CHANGES_PER_BUCKET = 4_000_000
SERIES_PER_BUCKET = 500
_INTERVAL = ["series_id", "valid_from", "valid_to", "observed_at", "usd_per_gpu_hour"]

StorageOptions = Mapping[str, str]


@dataclass(frozen=True)
class Bucket:
    """One file of prices and where its statistics go. Addresses are paths or `s3://` URLs."""

    number: int
    prices: str
    statistics: str


def buckets(folder: str, target: str, count: int) -> list[Bucket]:
    """The buckets of a folder, numbered from 0, with the place of their results."""
    names = [(number, f"bucket={number}.parquet") for number in range(count)]
    return [Bucket(number, _joined(folder, name), _joined(target, name)) for number, name in names]


def count_for(changes: int, series: int) -> int:
    """How many buckets so many changes of so many series are to be divided into."""
    return max(1, -(-changes // CHANGES_PER_BUCKET), -(-series // SERIES_PER_BUCKET))


def write_buckets(intervals: pl.LazyFrame, folder: Path, count: int) -> None:
    """Intervals, such as rows of `marts.price_history`, in buckets, by the first digits of the ids of their series."""
    folder.mkdir(parents=True, exist_ok=True)
    number_of_series = pl.col("series_id").str.slice(0, 4).str.to_integer(base=16) % count
    for number in range(count):
        rows = intervals.filter(number_of_series == number).sort("series_id", "valid_from").select(_INTERVAL).collect()
        rows.write_parquet(folder / f"bucket={number}.parquet", row_group_size=ROW_GROUP_ROWS)


def compute_bucket(bucket: Bucket, as_of: date, storage_options: StorageOptions | None = None) -> int:
    """Read one bucket, compute all windows and statistics until the end of `as_of`, write them; gives the number of rows read."""
    options = dict(storage_options) if storage_options else None
    prices = pl.scan_parquet(bucket.prices, storage_options=options).collect()
    statistics = statistics_of(prices.lazy(), as_of).collect()
    statistics.write_parquet(bucket.statistics, compression="zstd", row_group_size=ROW_GROUP_ROWS, storage_options=options)
    return prices.height


def statistics_of(prices: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Rows of `marts.gpu_price_rolling` for intervals or changes, in the order of series, day and window."""
    last_day = (as_of - date(1970, 1, 1)).days
    if "changed_at_s" in prices.collect_schema():
        units = _changes_in_units(prices, (last_day + 1) * SECONDS_PER_DAY)
    else:
        units = intervals_in_units(prices, as_of)
    return in_usd(rolling_statistics(units, last_day)).sort("series_id", "on_date", "window_days")


def _changes_in_units(changes: pl.LazyFrame, end_s: int) -> pl.LazyFrame:
    goes_on = pl.col("series_id") == pl.col("series_id").shift(-1)
    return changes.select(
        "series_id",
        units=(pl.col("usd_per_gpu_hour") * UNITS_PER_USD).round(0).cast(pl.Int64),
        from_s="changed_at_s",
        to_s=pl.when(goes_on).then(pl.col("changed_at_s").shift(-1)).otherwise(end_s),
        observed_day=pl.col("changed_at_s") // SECONDS_PER_DAY,
    )


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if "://" in folder else str(PurePosixPath(folder) / name)
