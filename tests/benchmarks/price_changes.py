"""Price changes for the benchmarks: 5,000 series over 180 days, constant between changes at random times, prices a random walk of 1%.

Made here from a fixed seed, in the buckets that `pipelines.history.distributed.buckets` reads. Nothing of it is a price.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.history.distributed.buckets import count_for
from pipelines.history.rolling import SECONDS_PER_DAY
from pipelines.platform.parquet import ROW_GROUP_ROWS

SERIES, DAYS, START_S = 5_000, 180, 20_254 * SECONDS_PER_DAY
END_S = START_S + DAYS * SECONDS_PER_DAY
LAST_DAY = date(1970, 1, 1) + timedelta(days=END_S // SECONDS_PER_DAY - 1)


def write_changes(changes: int, folder: Path) -> int:
    """Write about so many changes; gives the number of buckets."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    count, each = count_for(changes, SERIES), changes // SERIES
    for number, series in enumerate(np.array_split(np.arange(SERIES, dtype=np.int32), count)):
        size = (len(series), each)
        times = np.sort(rng.integers(0, END_S - START_S, size=size), axis=1) + START_S
        first = rng.lognormal(1.0, 1.0, size=(len(series), 1))
        prices = np.round(first * np.exp(np.cumsum(rng.normal(0, 0.01, size=size), axis=1)), 6).clip(0.000001, 60)
        frame = pl.DataFrame({"series_id": np.repeat(series, each), "changed_at_s": times.ravel(), "usd_per_gpu_hour": prices.ravel()})
        frame = frame.unique(["series_id", "changed_at_s"], keep="last", maintain_order=True).sort("series_id", "changed_at_s")
        frame.write_parquet(folder / f"bucket={number}.parquet", row_group_size=ROW_GROUP_ROWS)
    return count
