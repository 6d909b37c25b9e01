"""Parts of the long marts, each computed, judged and written by one worker, and put together in the order of their keys.

Belongs here: the work on one part. Does not belong here: which parts there are and who asks for them (`rebuild`).

Tables of the history go by bucket of series: the buckets in the order of the ids are the table in the order of its key. The market, the
cheapest offers and the break-even go by device, as no figure of one rests on another. What else a model yields by month goes by turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby, islice, starmap
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.catalogue.models import AS_OF, Model, models
from pipelines.history.distributed.plan import Job, Run, put_frame, scratch_folder
from pipelines.history.distributed.series import history_of
from pipelines.history.materialize import of_month, partitions
from pipelines.history.views import HistoryViews
from pipelines.platform.parquet import schema_of, write_parquet
from pipelines.publication.parts import WHOLE, file_of
from pipelines.quality.results import RuleResult
from pipelines.refresh.month_parts import MonthPart
from pipelines.refresh.part_verdicts import PartVerdicts
from pipelines.refresh.parts import write_parts

SERIES_ATTRIBUTE = "series_attribute"
# Tables whose figures of one device rest on no other device.
BY_DEVICE = ("market_price", "rented_price", "break_even")
_DEVICE = "gpu"

# Where workers find the tables that models read: by name the keys of the files.
Keys = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Piece:
    """Rows of a part of a table: the name of the part as it is published, the key of the file, and the verdicts on them."""

    table: str
    part: str
    key: str
    rows: int
    results: list[RuleResult]


def is_divided(model: Model) -> bool:
    """True for a table that workers make."""
    return model.is_incremental or model.is_in_parts or model.name in BY_DEVICE


def input_key(table: str) -> str:
    """The key of what the driver made and workers read."""
    return f"inputs/{table}.parquet"


def write_bucket(job: Job, runs: Sequence[Run], bucket: str, runs_with_rows: Sequence[int]) -> list[Piece]:
    """The history of a bucket of series, and its pieces of every table that is read from it."""
    pieces = []
    with history_of(job, runs, bucket, runs_with_rows) as history:
        put_frame(job.files, history.checkpoint(SERIES_ATTRIBUTE), _piece_key(SERIES_ATTRIBUTE, WHOLE, bucket))
        for model in (model for model in models().values() if model.is_partitioned):
            parts = ((part, _piece_key(model.name, part, bucket), rows) for part, rows in _parts_of_history(model, history))
            pieces += _written(job, model, parts)
    return pieces


def series_attributes(job: Job, buckets: Iterable[str]) -> pl.DataFrame:
    """What describes each series, of all buckets."""
    with scratch_folder() as scratch:
        return pl.concat([pl.read_parquet(job.files.get(_piece_key(SERIES_ATTRIBUTE, WHOLE, bucket), scratch)) for bucket in buckets])


def write_turns(job: Job, table: str, keys: Keys, as_of: date, turn: int, turns: int) -> list[Piece]:
    """Of what a model yields, each whose turn it is."""
    model = models()[table]
    with scratch_folder() as scratch:
        yielded = enumerate(starmap(MonthPart, model.month_parts(**_inputs(job, model, keys, as_of, scratch))))
        own = islice(yielded, turn, None, turns)
        return _written(job, model, ((one.month, _piece_key(table, one.month, f"{number:06}"), [one.rows()]) for number, one in own))


def put_devices(job: Job, table: str, keys: Keys, as_of: date, group: int, devices: Sequence[str]) -> list[Piece]:
    """The rows of some devices as the model gives them, in no order yet."""
    model, pieces = models()[table], []
    with scratch_folder() as scratch:
        inputs = _of_devices(_inputs(job, model, keys, as_of, scratch), devices)
        for part, plans in _parts_yielded(model, inputs):
            rows = pl.concat([plan.collect() for plan in plans])
            key = _piece_key(table, part, str(group))
            if rows.height:
                put_frame(job.files, rows, key)
            pieces.append(Piece(table, part, key, rows.height, []))
    return pieces


def sort_pieces(job: Job, table: str, part: str, keys: Sequence[str]) -> Piece:
    """Rows in no order as one part of a mart, judged."""
    model = models()[table]
    with scratch_folder() as scratch:
        files = [job.files.get(key, scratch) for key in keys]
        rows = pl.concat([pl.scan_parquet(file, glob=False) for file in files]) if files else None
        whole = pl.LazyFrame(schema=model.contract.polars_schema()) if rows is None else rows
        [piece] = _written(job, model, [(part, file_of(model.contract, part), [whole])])
        return piece


def join_pieces(job: Job, table: str, part: str, keys: Sequence[str]) -> str:
    """Pieces in the order of the key as one part of a mart, the bytes of which do not tell of them; gives its key."""
    contract = models()[table].contract
    with scratch_folder() as scratch:
        write_parquet(scratch / "part.parquet", schema_of(contract.polars_schema()), _row_groups(job, keys, scratch))
        job.files.put(scratch / "part.parquet", file_of(contract, part))
    return file_of(contract, part)


def _parts_of_history(model: Model, history: HistoryViews) -> Iterator[tuple[str, Iterable[pl.LazyFrame]]]:
    if model.is_by_month:
        for month in history.window_months():
            yield f"{month.first:%Y-%m}", of_month(model, history, month)
    else:
        yield WHOLE, partitions(model, history, {"price_series": history.series()})


def _parts_yielded(model: Model, inputs: Mapping[str, Any]) -> Iterator[tuple[str, list[pl.LazyFrame]]]:
    if model.is_by_month:
        for month, own in groupby(starmap(MonthPart, model.month_parts(**inputs)), key=lambda one: one.month):
            yield month, [one.rows() for one in own]
    else:
        assert model.function is not None
        yield WHOLE, [model.function(**inputs)]


def _of_devices(inputs: Mapping[str, Any], devices: Sequence[str]) -> dict[str, Any]:
    """Inputs without the rows of other devices."""
    chosen = dict(inputs)
    for name, rows in inputs.items():
        if isinstance(rows, pl.LazyFrame) and _DEVICE in rows.collect_schema():
            chosen[name] = rows.filter(pl.col(_DEVICE).is_in(list(devices)))
    if "price_series" in chosen and "gpu_price_rolling" in chosen:
        # Windows do not say of which device they are, and are many: those of other series are not even decoded.
        series = chosen["price_series"].select("series_id").collect().to_series()
        chosen["gpu_price_rolling"] = chosen["gpu_price_rolling"].filter(pl.col("series_id").is_in(series.implode()))
    return chosen


def _written(job: Job, model: Model, parts: Iterable[tuple[str, str, Iterable[pl.LazyFrame]]]) -> list[Piece]:
    """Pieces of a table, computed, put and judged: the part, the key and the rows of each."""
    verdicts, counts = PartVerdicts(model.contract), []
    for part, key, rows in parts:
        with scratch_folder() as scratch:
            count = write_parts(model.contract, rows, scratch / "part.parquet", partial(verdicts.judge, key))
            job.files.put(scratch / "part.parquet", key)
        counts.append((part, key, count))
    verdicts.finished()
    return [Piece(model.name, part, key, count, verdicts.of(key)) for part, key, count in counts]


def _inputs(job: Job, model: Model, keys: Keys, as_of: date, scratch: Path) -> dict[str, Any]:
    """What the function of a model is called with."""

    def table(name: str) -> pl.LazyFrame:
        return pl.concat([pl.scan_parquet(job.files.get(key, scratch), glob=False) for key in keys[name]])

    return {name: as_of if name == AS_OF else table(name) for name in model.parameters}


def _piece_key(table: str, part: str, name: str) -> str:
    return f"pieces/{table}/{part or 'whole'}/{name}.parquet"


def _row_groups(job: Job, keys: Sequence[str], scratch: Path) -> Iterator[pa.Table]:
    for key in keys:
        with pq.ParquetFile(job.files.get(key, scratch)) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)
