"""The prices of a bucket of series: the history of these series alone, from the good observations of all batches.

Belongs here: the fold over all batches for one bucket. Does not belong here: the history itself (`engine`), the tables that are read from
it (models).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl

from pipelines.history.distributed.observations import BATCH
from pipelines.history.distributed.plan import Batch, Inputs, Job, Run, inputs_of, scratch_folder
from pipelines.history.engine import HistoryEngine, needed_columns, open_history
from pipelines.history.shipped import confirmed_by
from pipelines.history.views import HistoryViews
from pipelines.prices.normalization import at_each_rate

# Of so many rows, or so many batches, one batch is made: a batch has its own price, a row needs room.
_ROWS_AT_ONCE, _BATCHES_AT_ONCE = 100_000, 100


@contextmanager
def history_of(job: Job, runs: Sequence[Run], bucket: str, runs_with_rows: Sequence[int]) -> Iterator[HistoryViews]:
    """The history of a bucket, whose good rows are in some of the runs."""
    inputs = inputs_of(job)
    confirmed: pl.DataFrame | None = None
    with scratch_folder() as scratch, open_history(scratch / "history.duckdb", inputs.catalogue, is_durable=False) as engine:
        waiting: list[tuple[Batch, pl.DataFrame]] = []
        for run in runs:
            rows = pl.read_parquet(job.files.get(f"good/{run.number}/{bucket}.parquet", scratch)) if run.number in runs_with_rows else None
            for place, one in run.batches:
                own = _none(inputs) if rows is None else rows.filter(pl.col(BATCH) == place).drop(BATCH)
                waiting.append((one, own))
                is_last = run is runs[-1] and place == run.batches[-1][0]
                if is_last or len(waiting) == _BATCHES_AT_ONCE or sum(part.height for _, part in waiting) >= _ROWS_AT_ONCE:
                    confirmed = _apply(engine, inputs, waiting, confirmed)
                    waiting = []
        yield engine.views


def _apply(
    engine: HistoryEngine, inputs: Inputs, batches: Sequence[tuple[Batch, pl.DataFrame]], confirmed: pl.DataFrame | None
) -> pl.DataFrame:
    """Apply some batches as one; gives what is confirmed beyond the last of them."""
    first, last = batches[0][0], batches[-1][0]
    needed = needed_columns(inputs.catalogue)
    good = pl.concat(part for _, part in batches)
    ships = good.filter(pl.col("confirmed_until").is_not_null())
    again = (ships if confirmed is None else pl.concat([confirmed, ships])).filter(pl.col("confirmed_until") >= first.since)
    # Of what is confirmed further, the price that runs into these batches, and those at the rates since.
    further = at_each_rate(confirmed_by(again, last.end).select(needed), inputs.rates).filter(pl.col("last_confirmed_at") >= first.since)
    observed = pl.concat([at_each_rate(good.select(needed), inputs.rates), further])
    # References are for judging, which is done.
    engine.apply(observed, last.batch.as_of, engine.views.reference_observations())
    return again.filter(pl.col("confirmed_until") >= last.end)


def _none(inputs: Inputs) -> pl.DataFrame:
    schema = inputs.catalogue.tables["confirmed_later"].polars_schema()
    return pl.DataFrame(schema={name: schema[name] for name in (*needed_columns(inputs.catalogue), "confirmed_until")})
