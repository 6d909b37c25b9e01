"""The tables of the history, computed a partition of the series at a time.

Belongs here: going through the partitions, and for windows through the months. Does not belong here: what a table says (its model),
checking and writing it (`pipelines.refresh`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from pipelines.catalogue.models import HISTORY, MONTH, PARTITION, Model
from pipelines.history.views import HistoryViews, WindowMonth, partitions_of


def partitions(model: Model, history: HistoryViews, inputs: Mapping[str, pl.LazyFrame]) -> Iterator[pl.LazyFrame]:
    """The rows of a partitioned model in the order of its key, which begins with an id of a series; of one by month, a month after the
    other.
    """
    if history.is_empty:
        yield pl.LazyFrame(schema=model.contract.polars_schema())
    elif model.is_by_month:
        for month in history.window_months():
            yield from of_month(model, history, month)
    else:
        assert model.function is not None
        own = {name: inputs[name] for name in model.parameters if name in inputs}
        for partition in history.partitions():
            yield model.function(**{HISTORY: history, PARTITION: partition}, **own)


def of_month(model: Model, history: HistoryViews, month: WindowMonth) -> Iterator[pl.LazyFrame]:
    """The rows of a month, in the order of the key."""
    assert model.function is not None
    for partition in partitions_of(month.rows):
        yield model.function(**{HISTORY: history, PARTITION: partition, MONTH: month.first})
