"""What is read from a history: its tables as the models of the marts see them, a partition of the series at a time.

Belongs here: SELECTs over the state, brought to the form of the marts. Does not belong here: changing the state (`engine`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import polars as pl

from pipelines.history.availability import AVAILABILITY, of_series
from pipelines.history.bitemporal import as_known_on, described_versions
from pipelines.history.series import series_sql
from pipelines.history.storage import HistoryFile
from pipelines.history.windows import WINDOW_MONTH

# About so many rows of a partition are read at once.
_PARTITION_ROWS = 300_000
_HEX_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class WindowMonth:
    """A month of windows: its first day, its rows, and a hash that is equal where they are."""

    first: date
    rows: int
    content_hash: str


def partitions_of(rows: int) -> list[str]:
    """The partitions in order, as many as it takes for each of so many rows in all to fit into memory."""
    digits = next(n for n in range(16) if rows <= _PARTITION_ROWS * 16**n)
    return ["".join(partition) for partition in product(_HEX_DIGITS, repeat=digits)]


class HistoryViews:
    """Tables of a history at the end of its day. A partition is the beginning of the ids of its series; "" stands for all series."""

    def __init__(self, file: HistoryFile) -> None:
        self._file = file
        self._series: tuple[pl.DataFrame, pl.DataFrame] | None = None

    @property
    def as_of(self) -> date | None:
        """The day up to which the history goes, or None before the first batch."""
        progress = self._file.small_table("history_progress")
        return None if progress.is_empty() else progress.item()

    @property
    def is_empty(self) -> bool:
        """True where no observation was ever ingested: there are no intervals, versions or windows then."""
        return not self._file.exists("price_interval")

    def partitions(self) -> list[str]:
        """The partitions of intervals and versions in order, as many as it takes for each to fit into memory."""
        return partitions_of(sum(self._file.count(table) for table in ("price_interval", "superseded_assertion")))

    def series(self) -> pl.LazyFrame:
        """Rows of `staging.price_series`."""
        attributes = self._file.small_table("series_attribute")
        # An id is a hash of its key: worked out once, not for each partition.
        if self._series is None or self._series[0] is not attributes:
            self._series = attributes, self._file.read(series_sql(), price_observation=attributes)
        return self._series[1].lazy()

    def intervals(self, partition: str = "") -> pl.LazyFrame:
        """Intervals of `marts.price_history`, with `series_id` alone."""
        return as_known_on(self._rows("price_interval", partition, "valid_from"), self._day())

    def versions(self, partition: str = "") -> pl.LazyFrame:
        """Rows of `marts.price_history_versions`."""
        rows = self._rows("price_interval", partition, "valid_from")
        superseded = self._rows("superseded_assertion", partition, "known_from")
        return described_versions(rows, superseded, self.series(), self._day())

    def windows(self, partition: str = "", month: date | None = None) -> pl.LazyFrame:
        """Rows of `marts.gpu_price_rolling`, of one month where its first day is given."""
        of_month = "true" if month is None else f"on_date >= DATE '{month}' AND on_date < DATE '{month}' + INTERVAL 1 MONTH"
        return self._rows("price_window", partition, "on_date, window_days", of_month)

    def window_months(self) -> Iterator[WindowMonth]:
        """The months that windows end in, in order."""
        if self._file.exists("price_window"):
            counts = self._file.read(
                "SELECT date_trunc('month', on_date)::DATE AS m, count(*) FROM history.price_window GROUP BY ALL ORDER BY ALL"
            )
            hashes = dict(self._file.small_table(WINDOW_MONTH).rows())
            for first, rows in counts.rows():
                yield WindowMonth(first, rows, hashes[first])

    def reference_observations(self) -> pl.DataFrame:
        """The last observation of each series by each source: what new ones are validated against."""
        return self._file.small_table("reference_observation")

    def availability(self) -> pl.LazyFrame:
        """Rows of `marts.offer_availability`."""
        return of_series(self._file.small_table(AVAILABILITY).lazy(), self.series())

    def newest_outcomes(self) -> pl.DataFrame:
        """Rows of `history.batch_source`: of each source the newest."""
        if not self._file.exists("batch_source"):
            return pl.DataFrame(schema=self._file.contracts["batch_source"].polars_schema())
        newest = "row_number() OVER (PARTITION BY source ORDER BY as_of_on DESC, batch_number DESC) = 1"
        return self._file.read(f"SELECT * FROM history.batch_source QUALIFY {newest} ORDER BY source")

    def asserted(self, sources: Sequence[str]) -> pl.DataFrame:
        """What some sources have asserted so far: series_id, source, first_seen_at, native_amount, last_confirmed_at."""
        schema = self._file.contracts["price_assertion"].polars_schema()
        columns = ["series_id", "source", "first_seen_at", "native_amount", "last_confirmed_at"]
        if not self._file.exists("price_assertion"):
            return pl.DataFrame(schema={name: schema[name] for name in columns})
        sql = f"SELECT {', '.join(columns)} FROM history.price_assertion WHERE list_contains($sources, source)"
        return self._file.read(sql, {"sources": list(sources)})

    def checkpoint(self, table: str) -> pl.DataFrame:
        """Rows of a state table that the last batch wrote beside its prices; empty before the first."""
        return self._file.small_table(table)

    def _rows(self, table: str, partition: str, order: str, condition: str = "true") -> pl.LazyFrame:
        if not self._file.exists(table):
            return pl.LazyFrame(schema=self._file.contracts[table].polars_schema())
        sql = f"SELECT * FROM history.{table} WHERE {condition} AND starts_with(series_id, $partition) ORDER BY series_id, {order}"
        return self._file.decoded(self._file.read(sql, {"partition": partition})).lazy()

    def _day(self) -> date:
        if self.as_of is None:
            raise ValueError("the history is empty: no batch was ingested yet")
        return self.as_of
