"""The price history as it is known now."""

import polars as pl

from pipelines.history.series import DESCRIPTION
from pipelines.history.views import HistoryViews


def price_history(history: HistoryViews, price_series: pl.LazyFrame, partition: str) -> pl.LazyFrame:
    """One row per series and interval, with what the series is and where the figure comes from; of one partition of the series."""
    return (
        history.intervals(partition)
        .join(price_series, on="series_id")
        .select(
            *DESCRIPTION,
            pl.col("usd_per_gpu_hour", "usd_per_hour", "native_amount").cast(pl.Float64),
            "currency",
            "valid_from",
            "valid_to",
            "observed_at",
            "known_from",
            "source",
            "source_detail",
            "source_url",
            "licence",
            "snapshot_sha256",
        )
    )
