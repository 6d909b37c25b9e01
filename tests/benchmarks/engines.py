"""The same statistics by ours and by the alternatives, each reading the buckets of `price_changes` and giving the rows of a sample.

All compute three windows with all statistics but `duckdb_sums`, which is spared most of that: it gives the means alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.history.distributed.buckets import buckets, compute_bucket
from pipelines.history.rolling import SECONDS_PER_DAY

from .price_changes import DAYS, END_S, LAST_DAY, SERIES, START_S

_FIRST_DAY = START_S // SECONDS_PER_DAY
SAMPLE = list(range(0, SERIES, SERIES // 10))


def _files(folder: str) -> int:
    return len(list(Path(folder).glob("bucket=*.parquet")))


def ours(folder: str, target: str) -> dict[str, Any]:
    """All windows and statistics, bucket by bucket."""
    Path(target).mkdir(parents=True, exist_ok=True)
    return {"changes": sum(compute_bucket(part, LAST_DAY) for part in buckets(folder, target, _files(folder)))}


def duckdb_sums(folder: str, target: str) -> dict[str, Any]:
    """Means of the three windows in SQL: the integral of the price up to each change, then window functions over days."""
    import duckdb

    connection = duckdb.connect()
    changes = f"read_parquet('{folder}/bucket=*.parquet', hive_partitioning = false)"
    connection.execute(f"""
        COPY (
            WITH priced AS (
                SELECT series_id, changed_at_s AS t, usd_per_gpu_hour AS p,
                    coalesce(lead(changed_at_s) OVER w, {END_S}) AS until
                FROM {changes} WINDOW w AS (PARTITION BY series_id ORDER BY changed_at_s)
            ),
            summed AS (
                SELECT series_id, t, p, until,
                    sum(p * (until - t)) OVER (PARTITION BY series_id ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                        - p * (until - t) AS integral_before,
                    sum(until - t) OVER (PARTITION BY series_id ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - (until - t)
                        AS seconds_before
                FROM priced
            ),
            ends AS (
                SELECT s.series_id, e.edge AS edge
                FROM (SELECT DISTINCT series_id FROM priced) AS s, (SELECT unnest(range({START_S}, {END_S} + 1, 86400)) AS edge) AS e
            ),
            at_edge AS (
                SELECT e.series_id, e.edge,
                    coalesce(c.integral_before + c.p * (least(e.edge, c.until) - c.t), 0) AS integral,
                    coalesce(c.seconds_before + least(e.edge, c.until) - c.t, 0) AS seconds
                FROM ends AS e ASOF LEFT JOIN summed AS c ON e.series_id = c.series_id AND e.edge >= c.t
            ),
            windows AS (
                SELECT series_id, edge, w.days,
                    integral - coalesce(first_value(integral) OVER (
                        PARTITION BY series_id, days ORDER BY edge ROWS BETWEEN days PRECEDING AND CURRENT ROW), 0) AS i,
                    seconds - coalesce(first_value(seconds) OVER (
                        PARTITION BY series_id, days ORDER BY edge ROWS BETWEEN days PRECEDING AND CURRENT ROW), 0) AS s
                FROM at_edge, (SELECT unnest([7, 30, 90]) AS days) AS w
            )
            SELECT series_id, (edge // 86400 - 1) AS day, days AS window_days, i / s AS mean_usd_per_gpu_hour
            FROM windows WHERE s > 0 AND edge > {START_S}
        ) TO '{target}' (FORMAT parquet)
    """)
    return {}


def duckdb_windows(folder: str, target: str) -> dict[str, Any]:
    """All windows and statistics in DuckDB's window SQL: RANGE frames of days over changes cut at midnights, taken at each day's end."""
    import duckdb

    connection = duckdb.connect()
    changes = f"read_parquet('{folder}/bucket=*.parquet', hive_partitioning = false)"
    frame = "OVER (PARTITION BY series_id ORDER BY day RANGE BETWEEN {} PRECEDING AND CURRENT ROW)"
    statistics = ", ".join(
        f"sum(p * s) {over} / sum(s) {over} AS mean_{d}, min(p) {over} AS min_{d}, max(p) {over} AS max_{d},"
        f" sqrt(greatest(sum(p * p * s) {over} / sum(s) {over} - (sum(p * s) {over} / sum(s) {over}) ** 2, 0)) AS volatility_{d},"
        f" sum(c) {over} AS changes_{d}, sum(s) {over} AS seconds_{d}"
        for d in (7, 30, 90)
        for over in [frame.format(d - 1)]
    )
    connection.execute(f"""
        COPY (
            WITH changed AS (
                SELECT series_id, changed_at_s AS t, usd_per_gpu_hour AS p, 1 AS c FROM {changes}
            ),
            midnights AS (
                SELECT s.series_id, e.t, NULL::DOUBLE AS p, 0 AS c
                FROM (SELECT series_id, min(t) AS first_t FROM changed GROUP BY ALL) AS s,
                    (SELECT unnest(range({START_S}, {END_S}, 86400)) AS t) AS e
                WHERE e.t > s.first_t
            ),
            cut AS (
                SELECT series_id, t, c, last_value(p IGNORE NULLS) OVER w AS p, coalesce(lead(t) OVER w, {END_S}) - t AS s,
                    lead(t) OVER w AS next_t
                FROM (FROM changed UNION ALL FROM midnights) WINDOW w AS (PARTITION BY series_id ORDER BY t, c
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            ),
            days AS (SELECT *, t // 86400 AS day FROM cut),
            windows AS (SELECT series_id, day, next_t, p AS last, {statistics} FROM days)
            SELECT * EXCLUDE (next_t) FROM windows WHERE next_t IS NULL OR next_t // 86400 > day
        ) TO '{target}' (FORMAT parquet)
    """)
    return {}


def pandas_hourly_grid(folder: str, target: str) -> dict[str, Any]:
    """All windows and statistics on an hourly grid, as it is often done: the price at each full hour, then rolling windows over hours."""
    import pandas as pd

    hours = pd.Index(range(START_S, END_S, 3600), name="hour")
    frames = []
    for file in sorted(Path(folder).glob("bucket=*.parquet")):
        changes = pd.read_parquet(file)
        for series, own in changes.groupby("series_id", sort=False):
            on_grid = own.set_index("changed_at_s")["usd_per_gpu_hour"].reindex(hours, method="ffill")
            changed = own.groupby((own["changed_at_s"] - START_S) // 3600 * 3600 + START_S).size().reindex(hours, fill_value=0)
            for days in (7, 30, 90):
                window = on_grid.rolling(days * 24, min_periods=1)
                daily = pd.DataFrame(
                    {
                        "mean_usd_per_gpu_hour": window.mean(),
                        "volatility": window.std(ddof=0),
                        "min": window.min(),
                        "max": window.max(),
                        "last": on_grid,
                        "covered_hours": window.count(),
                        "changes": changed.rolling(days * 24, min_periods=1).sum(),
                    }
                ).iloc[23::24]
                frames.append(daily.assign(series_id=series, window_days=days, day=daily.index // 86400))
    pd.concat(frames, ignore_index=True).to_parquet(target)
    return {}


def pandas_windows(folder: str, target: str) -> dict[str, Any]:
    """All windows and statistics exactly in pandas: rolling windows of days over changes cut at midnights, taken at each day's end."""
    import pandas as pd

    midnights = pd.Series(range(START_S, END_S, SECONDS_PER_DAY), name="t")
    frames = []
    for file in sorted(Path(folder).glob("bucket=*.parquet")):
        changes = pd.read_parquet(file).rename(columns={"changed_at_s": "t", "usd_per_gpu_hour": "p"}).assign(c=1)
        first = changes.groupby("series_id")["t"].min().rename("first_t").reset_index()
        midnight = first.merge(midnights, how="cross").query("t > first_t").drop(columns="first_t").assign(c=0)
        cut = pd.concat([changes, midnight]).sort_values(["series_id", "t", "c"], ignore_index=True)
        by_series = cut.groupby("series_id")
        cut["p"] = by_series["p"].ffill()
        cut["s"] = by_series["t"].shift(-1).fillna(END_S) - cut["t"]
        cut["day"] = cut["t"] // SECONDS_PER_DAY
        cut["ps"] = cut["p"] * cut["s"]
        cut["pps"] = cut["p"] * cut["ps"]
        cut["on"] = pd.to_datetime(cut["day"], unit="D")
        ends_day = ~cut.duplicated(["series_id", "day"], keep="last").to_numpy()
        last = cut.loc[ends_day].reset_index(drop=True)
        for days in (7, 30, 90):
            window = cut.groupby("series_id").rolling(f"{days}D", on="on")
            total = window[["ps", "pps", "s", "c"]].sum().loc[ends_day].reset_index(drop=True)
            mean = total["ps"] / total["s"]
            frames.append(
                pd.DataFrame(
                    {
                        "series_id": last["series_id"],
                        "day": last["day"],
                        "window_days": days,
                        "mean_usd_per_gpu_hour": mean,
                        "volatility": (total["pps"] / total["s"] - mean**2).clip(0) ** 0.5,
                        "min": window["p"].min().to_numpy()[ends_day],
                        "max": window["p"].max().to_numpy()[ends_day],
                        "last": last["p"],
                        "changes": total["c"],
                        "seconds": total["s"],
                    }
                )
            )
    pd.concat(frames, ignore_index=True).to_parquet(target)
    return {}


def exact_means(folder: str) -> pl.DataFrame:
    """Means of the sampled series by brute force in whole numbers: every change against every window."""
    changes = pl.scan_parquet(f"{folder}/bucket=*.parquet", hive_partitioning=False).filter(pl.col("series_id").is_in(SAMPLE)).collect()
    rows = []
    for series in SAMPLE:
        own = changes.filter(pl.col("series_id") == series)
        times = own.get_column("changed_at_s").to_list()
        units = [round(p * 10**8) for p in own.get_column("usd_per_gpu_hour").to_list()]
        until = [*times[1:], END_S]
        for day in range(_FIRST_DAY, _FIRST_DAY + DAYS, 30):
            for days in (7, 30, 90):
                end, start = (day + 1) * SECONDS_PER_DAY, (day + 1 - days) * SECONDS_PER_DAY
                held = [(min(b, end) - max(a, start), u) for a, b, u in zip(times, until, units, strict=True) if a < end and b > start]
                if held:
                    mean = sum(s * u for s, u in held) / sum(s for s, _ in held) / 10**8
                    rows.append((series, day, days, mean))
    return pl.DataFrame(rows, schema=["series_id", "day", "window_days", "exact"], orient="row")
