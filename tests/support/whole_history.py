"""The history from all observations at once, in memory: what one that grew step by step has to equal."""

from __future__ import annotations

import polars as pl

from pipelines.history.knowledge import advance, in_pieces


def whole_history(observed: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Intervals and superseded statements of all series from all their observations at once (rows and superseded of a `Step`)."""
    pieces = in_pieces(observed).collect()
    first = pieces.lazy().with_columns(least=pl.col("piece").min().over("series_id"))
    step = advance(first.filter(pl.col("piece") == pl.col("least")).drop("least"))
    rest = first.filter(pl.col("piece") > pl.col("least")).drop("least").collect()
    stated, rows, superseded = step.stated, step.rows, [step.superseded]
    for piece in sorted(rest.get_column("piece").unique()):
        batch = rest.filter(pl.col("piece") == piece)
        series = batch.select("series_id").unique()
        step = advance(
            batch.lazy(),
            stated.lazy().join(series.lazy(), on="series_id", how="semi"),
            rows.lazy().join(series.lazy(), on="series_id", how="semi"),
        )
        stated = pl.concat([stated.join(series, on="series_id", how="anti"), step.stated.select(stated.columns)])
        rows = pl.concat([rows.join(series, on="series_id", how="anti"), step.rows])
        superseded.append(step.superseded)
    return rows, pl.concat(superseded)
