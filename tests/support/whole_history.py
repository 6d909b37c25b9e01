"""The history from all observations at once, in memory: what one that grew step by step has to equal."""

from __future__ import annotations

import polars as pl

from pipelines.history.bitemporal import apply_batch, split_late_arriving


def whole_history(observed: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Intervals and superseded assertions of all series from all their observations at once (of a `StateDelta`)."""
    segments = split_late_arriving(observed).collect()
    first = segments.lazy().with_columns(least=pl.col("segment").min().over("series_id"))
    delta = apply_batch(first.filter(pl.col("segment") == pl.col("least")).drop("least"))
    rest = first.filter(pl.col("segment") > pl.col("least")).drop("least").collect()
    assertions, rows, superseded = delta.assertions, delta.intervals, [delta.superseded]
    for segment in sorted(rest.get_column("segment").unique()):
        batch = rest.filter(pl.col("segment") == segment)
        series = batch.select("series_id").unique()
        delta = apply_batch(
            batch.lazy(),
            assertions.lazy().join(series.lazy(), on="series_id", how="semi"),
            rows.lazy().join(series.lazy(), on="series_id", how="semi"),
        )
        assertions = pl.concat([assertions.join(series, on="series_id", how="anti"), delta.assertions.select(assertions.columns)])
        rows = pl.concat([rows.join(series, on="series_id", how="anti"), delta.intervals])
        superseded.append(delta.superseded)
    return rows, pl.concat(superseded)
