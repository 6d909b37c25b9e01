"""Whether each series could be had, batch after batch: the one step that is not divided.

Belongs here: the fold over all batches, from what the runs put aside for it. Does not belong here: what follows from an answer
(`pipelines.history.availability`). An answer withdraws an offer by what else it lists, so that neither series nor sources can be parted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipelines.history.availability import AVAILABILITY, WholeAnswer, statements_after
from pipelines.history.distributed.observations import BATCH, SetAside
from pipelines.history.distributed.plan import Job, Run, inputs_of, put_frame, scratch_folder
from pipelines.history.engine import reference_after
from pipelines.history.series import series_key

STATEMENTS = f"{AVAILABILITY}.parquet"


def put_statements(job: Job, runs: Sequence[Run], set_aside: SetAside) -> int:
    """Put the statements after all batches; gives their number."""
    tables = inputs_of(job).catalogue.tables
    said = pl.DataFrame(schema=tables[AVAILABILITY].polars_schema())
    reference = pl.DataFrame(schema=tables["reference_observation"].polars_schema())
    for run in runs:
        with scratch_folder() as scratch:
            read = {name: _read(job, name, run, scratch) for name in ("priced", "said", "listed")}
        for place, one in run.batches:
            aside = set_aside.get(place, ())
            own = {name: frame.filter((pl.col(BATCH) == place) & ~pl.col("source").is_in(aside)) for name, frame in read.items()}
            reference = reference_after(reference, own["priced"])
            answers = [
                WholeAnswer(str(source), answered_at, listed.select(series_key()))
                for (source, answered_at), listed in own["listed"].group_by("source", "answered_at", maintain_order=True)
            ]
            said = statements_after(said, own["said"], answers, reference, one.batch.as_of)
    put_frame(job.files, said, STATEMENTS)
    return said.height


def _read(job: Job, name: str, run: Run, scratch: Path) -> pl.DataFrame:
    return pl.read_parquet(job.files.get(f"{name}/{run.number}.parquet", scratch))
