"""The incremental engine: a batch of observations applied to the state of a history, by what it touches.

Belongs here: which rows of the state a batch needs, in which order its parts are applied, one transaction per batch. Does not belong
here: the bitemporal rules (`bitemporal`), windows (`windows`), the file (`storage`), where batches come from (`ingestion`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.history.bitemporal import apply_batch, split_late_arriving, touched_since
from pipelines.history.intervals import as_assertions, with_series
from pipelines.history.series import ATTRIBUTES_FROM, first_of, identity, series_key, series_sql
from pipelines.history.storage import HistoryFile, copied, open_history_file
from pipelines.history.views import HistoryViews
from pipelines.history.windows import by_partition, update_windows

# Of more rows, one partition of the series is applied at a time.
_ROWS_AT_ONCE = 400_000
# Of several observations of a series at the last instant, the one that new ones are compared with.
_REFERENCE_FIRST = [("first_seen_at", "DESC"), ("usd_per_gpu_hour", "DESC"), ("last_confirmed_at", "DESC")]


class HistoryEngine:
    """A history that grows batch by batch; `views` reads it. Open it with `open_history`."""

    def __init__(self, file: HistoryFile) -> None:
        self._file = file
        self.views = HistoryViews(file)
        self._ids: pl.DataFrame | None = None

    def apply(
        self,
        observed: pl.DataFrame,
        as_of: date,
        reference_observations: pl.DataFrame | None = None,
        checkpoint: Mapping[str, pl.DataFrame] | None = None,
        batch_sources: pl.DataFrame | None = None,
    ) -> None:
        """Apply the good rows of `staging.price_observation` that are new since the last batch, and go on to the end of `as_of`.

        `reference_observations`: the reference for the next batch, where bad rows count too; by default that of the good ones.
        `checkpoint`: rows of other state tables, found again by `views.checkpoint` after exactly this batch. `batch_sources`: rows of
        `history.batch_source`. One transaction. Raises ValueError where the history goes beyond `as_of`: then it has to be rebuilt.
        """
        before = self.views.as_of
        if before is not None and as_of < before:
            raise ValueError(f"the history goes to {before}, it cannot go back to {as_of}; delete its file to rebuild it")
        if reference_observations is None:
            reference_observations = reference_after(self.views.reference_observations(), observed)
        # A day is small: polars' streaming engine would cost more than the work.
        with pl.Config(engine_affinity="in-memory"), self._file.transaction():
            self._file.replace("reference_observation", reference_observations)
            for table, rows in (checkpoint or {}).items():
                self._file.replace(table, rows)
            if batch_sources is not None:
                self._file.insert("batch_source", batch_sources)
            update_windows(self._file, self._apply_observations(observed), as_of, before)
            self._file.replace("history_progress", pl.DataFrame({"as_of_on": [as_of]}))

    def _apply_observations(self, observed: pl.DataFrame) -> list[pl.DataFrame]:
        """Apply them to assertions and intervals; gives `StateDelta.changed` of each part."""
        if observed.is_empty() and self.views.is_empty:
            return []
        observed = observed.with_columns(identity())
        attributes = list(self._file.contracts["series_attribute"].column_names)
        best = first_of(observed.select(*attributes, "identity"), ATTRIBUTES_FROM, ["identity"])
        known = self._file.small_table("series_attribute").with_columns(identity())
        self._file.replace("series_attribute", first_of(pl.concat([known, best]), ATTRIBUTES_FROM, ["identity"]))
        identified = with_series(observed.lazy(), self._ids_of(best).lazy()).collect()
        changed = []
        # Series need no other: of many rows, one partition of the series at a time.
        for part in by_partition(identified, _ROWS_AT_ONCE):
            nearby = self._nearby(part)
            segments = split_late_arriving(part.lazy(), None if nearby is None else nearby.lazy()).collect()
            for number, segment in enumerate(sorted(segments.get_column("segment").unique())):
                batch = segments.filter(pl.col("segment") == segment)
                changed.append(self._apply_segment(batch, nearby if number == 0 else self._nearby(batch)))
        return changed

    def _nearby(self, batch: pl.DataFrame) -> pl.DataFrame | None:
        """Assertions of the series of a batch: the last of each source, and those that hold where the batch begins to change them."""
        assertions = self._file.assertions
        if not self._file.exists(assertions.name):
            return None
        new, last = as_assertions(batch.lazy()).collect().lazy(), assertions.last(batch)
        since = touched_since(new, last.lazy()).collect()
        nearby = pl.concat([last, assertions.reaching(since)])
        # What holds there may tell of an instant further back than the last of each source did.
        again = touched_since(new, nearby.lazy()).collect()
        further = again.join(since, on=["series_id", "from_at"], how="anti")
        return nearby if further.is_empty() else pl.concat([last, assertions.reaching(again)])

    def _apply_segment(self, batch: pl.DataFrame, nearby: pl.DataFrame | None) -> pl.DataFrame:
        """Read what one segment touches, take it out and write it anew. Gives the series changed, each from which day."""
        file = self._file
        if nearby is None:
            delta = apply_batch(batch.lazy())
        else:
            nearby = nearby.join(batch, on="series_id", how="semi")
            since = touched_since(as_assertions(batch.lazy()), nearby.lazy()).collect()
            intervals = pl.concat([file.intervals.last(since), file.intervals.reaching(since)])
            assertions = nearby.drop("row_number", "is_last_of_source", "reach_at")
            delta = apply_batch(batch.lazy(), assertions.lazy(), intervals.drop("row_number").lazy())
            file.assertions.delete(nearby)
            file.intervals.delete(intervals)
        file.assertions.add(
            delta.assertions.with_columns(
                # A later instant of its source makes an assertion the last no more; a superseded one holds for no time.
                is_last_of_source=pl.col("first_seen_at") == pl.col("first_seen_at").max().over("series_id", "source"),
                reach_at=pl.coalesce("held_until", "first_seen_at"),
            )
        )
        file.intervals.add(delta.intervals)
        file.insert("superseded_assertion", delta.superseded)
        return delta.changed

    def _ids_of(self, best: pl.DataFrame) -> pl.DataFrame:
        # An id is a hash of its key: worked out once for each series.
        unknown = best if self._ids is None else best.join(self._ids, on="identity", how="anti")
        if self._ids is None or not unknown.is_empty():
            new = copied(self._file.read(series_sql(), price_observation=unknown).select("series_id", identity()))
            self._ids = new if self._ids is None else pl.concat([self._ids, new])
        return self._ids


def needed_columns(catalogue: Catalogue) -> list[str]:
    """Columns of `staging.price_observation` that `HistoryEngine.apply` reads."""
    state = ("price_assertion", "provenance", "series_attribute", "reference_observation")
    needed = {name for table in state for name in catalogue.tables[table].column_names}
    return [name for name in catalogue.tables["price_observation"].column_names if name in needed]


def reference_after(reference_observations: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """The reference observations after further rows of `staging.price_observation`."""
    key = [*series_key(), "source", "gpu", "instance_type"]
    both = pl.concat([reference_observations, observed.select(reference_observations.columns)])
    return first_of(both, _REFERENCE_FIRST, key)


@contextmanager
def open_history(path: Path, catalogue: Catalogue, *, is_durable: bool = True) -> Iterator[HistoryEngine]:
    """Open the history of a file, creating it where it is missing.

    One that is not durable is for many batches in one go: a kill loses it, and batches cost less.
    """
    with open_history_file(path, catalogue, is_durable=is_durable) as file:
        yield HistoryEngine(file)
