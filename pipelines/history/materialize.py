"""The tables of the history, computed a partition of the series at a time.

Belongs here: going through the partitions. Does not belong here: what a table says (its model), checking and writing it
(`pipelines.refresh.parts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from pipelines.catalogue.models import HISTORY, PARTITION, Model
from pipelines.history.views import HistoryViews


def partitions(model: Model, history: HistoryViews, inputs: Mapping[str, pl.LazyFrame]) -> Iterator[pl.LazyFrame]:
    """The parts of a partitioned model, in the order of its key: the key begins with an id of a series."""
    assert model.function is not None
    if history.is_empty:
        yield pl.LazyFrame(schema=model.contract.polars_schema())
        return
    own = {name: inputs[name] for name in model.parameters if name in inputs}
    for partition in history.partitions():
        yield model.function(**{HISTORY: history, PARTITION: partition}, **own)
