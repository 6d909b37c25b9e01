"""A history of readings that grows, for the benchmarks: 2,000 series read four times a day, of which a third move each time.

Made from a fixed seed in the columns of staging.price_observation. Nothing of it is a price.
"""

from __future__ import annotations

import os
import shutil
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.history.engine import open_history

SERIES, A_DAY, FIRST = 2_000, 4, date(2025, 1, 1)


def readings(first: int, last: int) -> pl.DataFrame:
    """Rows of the days from `first` to `last`, counted from 0; those of a day are the same whichever days are asked for."""
    days = []
    for day in range(first, last + 1):
        rng = np.random.default_rng(day)
        level = 200 + 100 * np.sin(np.arange(SERIES) + day // 30)
        moved = (rng.random((A_DAY, SERIES)) < 0.33).cumsum(axis=0)
        cents = np.maximum(level[None, :].round() + moved + day % 7, 1).astype(np.int64)
        at = datetime.combine(FIRST, datetime.min.time()) + timedelta(days=day)
        days.append(
            pl.DataFrame(
                {
                    "number": np.tile(np.arange(SERIES), A_DAY),
                    "first_seen_at": np.repeat([np.datetime64(at + timedelta(hours=1 + 6 * k), "us") for k in range(A_DAY)], SERIES),
                    "cents": cents.ravel(),
                }
            )
        )
    schema = catalogue().tables["price_observation"].polars_schema()
    text = {
        **dict.fromkeys(("provider", "seller"), "made"),
        **dict.fromkeys(("region", "source", "source_detail", "licence", "instance_type", "gpu"), "made"),
        **dict.fromkeys(("purchase_option", "purchase_option_as_named"), "spot"),
        "operating_system": "linux",
        "tenancy": "shared",
        "trust_tier": "datacenter",
        "currency": "USD",
        "price_unit": "instance_hour",
        "semantics": "reading",
        "snapshot_sha256": "0" * 64,
    }
    usd = (pl.col("cents").cast(pl.Decimal(18, 8)) / 100).cast(pl.Decimal(18, 8))
    rows = pl.concat(days).with_columns(
        *(pl.lit(value).alias(name) for name, value in text.items()),
        *(usd.alias(name) for name in ("native_amount", "usd_per_hour", "usd_per_gpu_hour")),
        pl.col("number").cast(pl.String).alias("sku"),
        last_confirmed_at="first_seen_at",
        known_from="first_seen_at",
        is_gpu_conflict=pl.lit(False),
        gpu_count=pl.lit(1, dtype=pl.Int64),
        precedence=pl.lit(100, dtype=pl.Int64),
        staleness_limit_days=pl.lit(2, dtype=pl.Int64),
    )
    missing = [pl.lit(None).alias(name) for name in schema if name not in rows.columns]
    return rows.with_columns(missing).select(schema.names()).cast(dict(schema))


def day_of(number: int) -> date:
    """The date of a day counted from 0."""
    return FIRST + timedelta(days=number)


def written_bytes() -> int:
    """Bytes that this process has had written to storage."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


def rebuild(file: str, days: str) -> dict[str, Any]:
    """A history of so many days, built at once; its time and bytes."""
    last = int(days) - 1
    frame = readings(0, last)
    started, before = time.perf_counter(), written_bytes()
    with open_history(Path(file), catalogue()) as history:
        history.apply(frame, day_of(last))
    return {"seconds": time.perf_counter() - started, "mib": (written_bytes() - before) / 2**20}


def next_days(file: str, days: str, count: str) -> dict[str, Any]:
    """The median of the next `count` days, one refresh each, on a copy of a history of `days` days."""
    copy = Path(file).with_suffix(".grown")
    shutil.copy(file, copy)
    os.sync()
    seconds, mib = [], []
    for day in range(int(days), int(days) + int(count)):
        frame = readings(day, day)
        started, before = time.perf_counter(), written_bytes()
        with open_history(copy, catalogue()) as history:
            history.apply(frame, day_of(day))
        seconds.append(time.perf_counter() - started)
        mib.append((written_bytes() - before) / 2**20)
    copy.unlink()
    return {"seconds": float(np.median(seconds)), "mib": float(np.median(mib))}
