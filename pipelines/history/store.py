"""The history that grows by the day: a file in which each refresh reads and writes what changed, and the windows that this touches.

Belongs here: keeping the state of `knowledge` and the rows of `rolling` between refreshes. Does not belong here: how either is computed,
where observations come from. The file holds nothing that the observations do not: it can be deleted at any time.

One call is one transaction: a kill leaves the state of the call before. Rows are found again by series and by time; tables are in the
order in which time came, so that DuckDB passes over what is older than what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipelines.contracts import Catalogue
from pipelines.history.intervals import IDENTITY, STATEMENT, statements, with_series
from pipelines.history.knowledge import Step, advance, as_known_on, described_versions, in_pieces, touched_since
from pipelines.history.rolling import WINDOWS_DAYS, in_usd, intervals_in_units, rolling_statistics, statistics_on

_MEMORY_LIMIT = "256MB"
_EPOCH = date(1970, 1, 1)
_REACH_DAYS = max(WINDOWS_DAYS)


@dataclass(frozen=True)
class Advanced:
    """What one call changed, in rows."""

    observations: int
    statements: int
    intervals: int
    superseded: int
    rolling: int


class HistoryStore:
    """A growing history. Open it with `open_history`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, series_sql: str) -> None:
        self._connection = connection
        self._observation, self._rolling = catalogue.tables["price_observation"], catalogue.tables["gpu_price_rolling"]
        self._series_sql = series_sql

    @property
    def as_of(self) -> date | None:
        """The day up to which the history goes, or None before the first."""
        if not self._exists("progress"):
            return None
        found: date = self._connection.execute("SELECT as_of FROM history.progress").fetchall()[0][0]
        return found

    def advance(self, observed: pl.DataFrame, as_of: date, compared: pl.DataFrame | None = None) -> Advanced:
        """Take in the good rows of `staging.price_observation` that are new since the last call, and go on to the end of `as_of`.

        `compared`: all rows that later ones are compared with, the bad ones too; the good ones where not given. Raises ValueError where the history is further on already: then it has to be built anew.
        """
        before = self.as_of
        if before is not None and as_of < before:
            raise ValueError(f"the history goes to {before}, it cannot go back to {as_of}; delete its file to build it anew")
        self._connection.execute("BEGIN")
        # A day is small: taking it through polars' streaming engine would cost more than the work.
        with pl.Config(engine_affinity="in-memory"):
            return self._in_transaction(observed, as_of, compared, before)

    def _in_transaction(self, observed: pl.DataFrame, as_of: date, compared: pl.DataFrame | None, before: date | None) -> Advanced:
        try:
            self._keep_best("latest_observation", observed if compared is None else compared)
            done = self._advance(observed, as_of, before)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return done

    def series(self) -> pl.LazyFrame:
        """What each series is: rows of `staging.price_series`."""
        return self._series(self._read("SELECT * FROM history.best_observation")).lazy()

    def intervals(self) -> pl.LazyFrame:
        """Rows of `staging.price_interval` at the end of `as_of`."""
        return as_known_on(self._read("SELECT * EXCLUDE (row_number) FROM history.interval ORDER BY series_id, valid_from").lazy(), self._known_day())

    def versions(self) -> pl.LazyFrame:
        """Rows of `marts.price_history_versions`."""
        rows, superseded = (self._read(f"SELECT * FROM history.{table}").lazy() for table in ("interval", "superseded"))
        return described_versions(rows, superseded, self.series(), self._known_day())

    def rolling(self) -> pl.LazyFrame:
        """Rows of `marts.gpu_price_rolling`."""
        return self._read("SELECT * FROM history.rolling ORDER BY series_id, on_date, window_days").lazy()

    def latest_observations(self) -> pl.DataFrame:
        """The last observation of each series by each source: what a new observation is compared with. Empty before the first."""
        return self._read("SELECT * FROM history.latest_observation") if self._exists("latest_observation") else self._no_observations()

    def _known_day(self) -> date:
        found = self.as_of
        if found is None:
            raise ValueError("the history is empty: nothing was taken in yet")
        return found

    def _advance(self, observed: pl.DataFrame, as_of: date, before: date | None) -> Advanced:
        self._observation.conform(observed.lazy())
        self._keep_best("best_observation", observed)
        identified = with_series(observed.lazy(), self._series(observed).lazy()).collect()
        last = self._last_statements(identified)
        pieces = in_pieces(identified.lazy(), last.lazy() if last is not None else None).collect()
        counts, changed = [0, 0, 0], []
        for piece in sorted(pieces.get_column("piece").unique()):
            step = self._take(pieces.filter(pl.col("piece") == piece))
            counts = [a + b.height for a, b in zip(counts, (step.stated, step.rows, step.superseded), strict=True)]
            changed.append(step.changed)
        rolled = self._roll(changed, as_of, before)
        self._write("progress", pl.DataFrame({"as_of": [as_of]}), replace=True)
        return Advanced(observed.height, *counts, rolled)

    def _take(self, batch: pl.DataFrame) -> Step:
        """One piece: what it touches is read, taken out and written again."""
        taken = batch.lazy()
        if not self._exists("statement"):
            step = advance(taken)
            self._write("statement", step.stated)
            self._write("interval", step.rows)
            self._write("superseded", step.superseded)
            return step
        new = statements(taken).collect()
        first = new.group_by("series_id").agg(from_at=pl.col("first_seen_at").min())
        nearby = self._holding("statement", first, "is_last", "held_until", "first_seen_at")
        since = touched_since(new.lazy(), nearby.lazy()).collect()
        if not since.join(first, on=["series_id", "from_at"], how="anti").is_empty():
            nearby = self._holding("statement", since, "is_last", "held_until", "first_seen_at")
        rows = self._holding("interval", since, "next_from IS NULL", "valid_to", "next_from")
        step = advance(taken, nearby.drop("row_number", "is_last").lazy(), rows.drop("row_number").lazy())
        for table, old, now in (("statement", nearby, step.stated), ("interval", rows, step.rows)):
            self._delete(table, old)
            self._write(table, now)
        self._write("superseded", step.superseded)
        return step

    def _last_statements(self, identified: pl.DataFrame) -> pl.DataFrame | None:
        # The last of each source, and those that are confirmed again.
        if not self._exists("statement"):
            return None
        keys = identified.select(STATEMENT).unique()
        with self._given("incoming", keys):
            return self._connection.sql(
                "SELECT s.* FROM history.statement AS s SEMI JOIN incoming AS i USING (series_id) WHERE s.is_last"
                " UNION SELECT s.* FROM history.statement AS s SEMI JOIN incoming AS i"
                " ON s.series_id = i.series_id AND s.source = i.source AND s.first_seen_at = i.first_seen_at"
                " AND s.native_amount = i.native_amount"
                f" WHERE s.first_seen_at >= TIMESTAMP '{keys.get_column('first_seen_at').min() or datetime.max}'"
            ).pl()

    def _holding(self, table: str, since: pl.DataFrame, is_last: str, *ends: str) -> pl.DataFrame:
        """Rows of touched series that reach to `from_at` or beyond, and the last ones. Each condition by itself, to pass over old rows."""
        least = since.get_column("from_at").min() or datetime.max
        with self._given("incoming", since.select("series_id", "from_at")):
            parts = [
                self._read(f"SELECT t.* FROM history.{table} AS t SEMI JOIN incoming AS i USING (series_id) WHERE t.{is_last}"),
                *(
                    self._read(
                        f"SELECT t.* FROM history.{table} AS t INNER JOIN incoming AS i USING (series_id)"
                        f" WHERE t.{end} >= TIMESTAMP '{least}' AND t.{end} >= i.from_at"
                    )
                    for end in ends
                ),
            ]
        return pl.concat(parts).unique("row_number")

    def _roll(self, changed: list[pl.DataFrame], as_of: date, before: date | None) -> int:
        """Compute the windows that end on a day whose figures may differ, and those of the days since the last call."""
        last_day = (as_of - _EPOCH).days
        if not self._exists("interval"):
            return 0
        next_day = (before - _EPOCH).days + 1 if before is not None else 0
        reach = f"valid_to > TIMESTAMP '{datetime.combine(_EPOCH + timedelta(days=max(next_day - _REACH_DAYS, 0)), time())}'"
        still = self._connection.sql(f"SELECT DISTINCT series_id FROM history.interval WHERE {reach}").pl()
        touched = (
            pl.concat([*changed, still.select("series_id", from_day=pl.lit(next_day, dtype=pl.Int64))])
            .group_by("series_id")
            .agg(pl.col("from_day").min())
            .filter(pl.col("from_day") <= last_day)
        )
        if touched.is_empty():
            return 0
        # A window that ends on the first such day begins this much earlier; the interval before tells whether its first price is a change.
        since = touched.select(
            "series_id", from_at=(pl.col("from_day").clip(_REACH_DAYS) - _REACH_DAYS).cast(pl.Int32).cast(pl.Date).cast(pl.Datetime("us"))
        )
        rows = self._holding("interval", since, "next_from IS NULL", "valid_to", "next_from")
        units = intervals_in_units(as_known_on(rows.lazy(), as_of), as_of)
        of_days, today = touched.filter(pl.col("from_day") < last_day), touched.filter(pl.col("from_day") == last_day)
        rolled = [statistics_on(units.join(today.lazy(), on="series_id", how="semi", maintain_order="left"), last_day)]
        if not of_days.is_empty():
            several = rolling_statistics(units.join(of_days.lazy(), on="series_id", how="semi", maintain_order="left"), last_day)
            rolled.append(several.join(touched.lazy(), on="series_id").filter(pl.col("day") >= pl.col("from_day")).drop("from_day"))
        found = in_usd(pl.concat(rolled)).sort("on_date", "series_id", "window_days").collect()
        self._rolling.conform(found.lazy())
        if self._exists("rolling"):
            first_day = _EPOCH + timedelta(days=int(touched.get_column("from_day").min() or 0))  # type: ignore[call-overload]
            with self._given("incoming", touched.with_columns(on_date=pl.col("from_day").cast(pl.Int32).cast(pl.Date))):
                self._connection.execute(
                    "DELETE FROM history.rolling AS r USING incoming AS i"
                    f" WHERE r.on_date >= DATE '{first_day}' AND r.series_id = i.series_id AND r.on_date >= i.on_date"
                )
        self._write("rolling", found)
        return found.height

    def _series(self, observed: pl.DataFrame) -> pl.DataFrame:
        # The model reads `staging.price_observation`; here that is what is given.
        with self._given("price_observation", observed):
            return self._connection.sql(self._series_sql.replace("staging.price_observation", "price_observation")).pl()

    def _keep_best(self, table: str, observed: pl.DataFrame) -> None:
        """Keep of each series the observation that says best what it is, or of each source the last."""
        order, key = _KEPT[table]
        known = self._read(f"SELECT * FROM history.{table}") if self._exists(table) else self._no_observations()
        both = pl.concat([known, observed.select(known.columns)])
        descending = [direction == "DESC" for _, direction in order]
        best = both.sort([name for name, _ in order], descending=descending, nulls_last=True).unique(key, keep="first", maintain_order=True)
        self._write(table, best, replace=True)

    def _no_observations(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self._observation.polars_schema())

    def _exists(self, table: str) -> bool:
        return bool(
            self._connection.execute(
                "SELECT 1 FROM duckdb_tables() WHERE database_name = 'history' AND table_name = ?", [table]
            ).fetchall()
        )

    def _read(self, sql: str) -> pl.DataFrame:
        return self._connection.sql(sql).pl()

    def _write(self, table: str, frame: pl.DataFrame, *, replace: bool = False) -> None:
        is_new = replace or not self._exists(table)
        if table in _NUMBERED:
            number = 0 if is_new else self._connection.execute(f"SELECT max(row_number) + 1 FROM history.{table}").fetchall()[0][0]
            frame = frame.with_row_index("row_number", number or 0).with_columns(pl.col("row_number").cast(pl.Int64))
        if table == "statement":
            # A later point of its source makes a statement the last no more.
            frame = frame.with_columns(is_last=pl.col("first_seen_at") == pl.col("first_seen_at").max().over("series_id", "source"))
        with self._given("incoming", frame):
            if is_new:
                self._connection.execute(f"CREATE OR REPLACE TABLE history.{table} AS SELECT * FROM incoming")
            else:
                self._connection.execute(f"INSERT INTO history.{table} BY NAME SELECT * FROM incoming")

    def _delete(self, table: str, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        least = rows.get_column("row_number").min()
        with self._given("incoming", rows.select("row_number")):
            self._connection.execute(
                f"DELETE FROM history.{table} WHERE row_number >= {least} AND row_number IN (SELECT row_number FROM incoming)"
            )

    @contextmanager
    def _given(self, name: str, frame: pl.DataFrame) -> Iterator[None]:
        self._connection.register(name, frame.to_arrow())
        try:
            yield
        finally:
            self._connection.unregister(name)


# Tables whose rows are taken out one by one.
_NUMBERED = ("statement", "interval")
# As in staging.price_series: whose word on what a series is counts.
_BEST_FIRST = [
    ("precedence", "ASC"),
    ("last_confirmed_at", "DESC"),
    ("first_seen_at", "DESC"),
    ("source", "ASC"),
    ("snapshot_sha256", "ASC"),
    ("usd_per_hour", "ASC"),
]
# As in `price_comparison`: which of a series' observations speaks for it.
_LATEST_FIRST = [("first_seen_at", "DESC"), ("usd_per_gpu_hour", "DESC"), ("last_confirmed_at", "DESC")]
_KEPT = {"best_observation": (_BEST_FIRST, IDENTITY), "latest_observation": (_LATEST_FIRST, [*IDENTITY, "source", "gpu", "instance_type"])}


@contextmanager
def open_history(path: Path, catalogue: Catalogue, series_sql: str) -> Iterator[HistoryStore]:
    """Open the history file, making it where it is missing. `series_sql`: the model of `staging.price_series`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ?", [str(path.with_suffix(".temp"))])
        quoted = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS history")
        yield HistoryStore(connection, catalogue, series_sql)
        connection.execute("CHECKPOINT history")
    finally:
        connection.close()
