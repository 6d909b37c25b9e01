"""The history that grows by the day: a file in which each refresh reads and writes what changed, and the windows that this touches.

Belongs here: keeping the state of `knowledge` and the rows of `rolling` between refreshes. Does not belong here: how either is computed,
where observations come from. The file holds nothing that the observations do not: it can be deleted at any time.

One call is one transaction: a kill leaves the state of the call before. Rows are found again by series and by time; tables are in the
order in which time came, so that DuckDB passes over what is older than what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import product
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.history.intervals import FIGURES, IDENTITY, PROVENANCE, STATEMENT, identity, statements, with_series
from pipelines.history.knowledge import advance, as_known_on, described_versions, ended_by, in_pieces, touched_since
from pipelines.history.rolling import WINDOWS_DAYS, in_usd, intervals_in_units, rolling_statistics, statistics_on
from pipelines.history.series import SERIES_SQL
from pipelines.platform.files import quoted
from pipelines.prices.benchmarks import COMPARED

_MEMORY_LIMIT = "256MB"
# A day's rows end in a row group that is written again with them: small ones keep that small, however long the history is.
_ROW_GROUP_ROWS = 20_480
_EPOCH = date(1970, 1, 1)
_REACH_DAYS = max(WINDOWS_DAYS)


class HistoryStore:
    """A growing history. Open it with `open_history`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, *, is_lasting: bool) -> None:
        self._connection, self._is_lasting = connection, is_lasting
        self._observation, self._rolling = catalogue.tables["price_observation"], catalogue.tables["gpu_price_rolling"]
        self._ids: pl.DataFrame | None = None
        # Small tables as they are after the last call, and which of them the file does not have so yet.
        self._small: dict[str, pl.DataFrame] = {}
        self._unwritten: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        # What is remembered of the file between calls; not after a call that was taken back.
        self._known_provenance: pl.DataFrame | None = None
        self._tables: set[str] | None = None
        self._next_row: dict[str, int] = {}
        self._last_rows: dict[str, pl.DataFrame] = {}

    @property
    def needed_columns(self) -> list[str]:
        """Columns of `staging.price_observation` that `advance` reads."""
        return [name for name in self._observation.column_names if name in _NEEDED]

    @property
    def as_of(self) -> date | None:
        """The day up to which the history goes, or None before the first."""
        progress = self._small_table("progress")
        return None if progress is None else progress.item()

    def advance(
        self, observed: pl.DataFrame, as_of: date, latest: pl.DataFrame | None = None, beside: Mapping[str, pl.DataFrame] | None = None
    ) -> None:
        """Take in the good rows of `staging.price_observation` that are new since the last call, and go on to the end of `as_of`.

        `latest`: the `latest_observations` after them, where bad rows count too; of the good ones where not given. `beside`: what the
        caller wants to find again with `kept` after exactly this call. Raises ValueError where the history is further on already:
        then it has to be built anew.
        """
        before = self.as_of
        if before is not None and as_of < before:
            raise ValueError(f"the history goes to {before}, it cannot go back to {as_of}; delete its file to build it anew")
        self._connection.execute("BEGIN")
        # A day is small: taking it through polars' streaming engine would cost more than the work.
        with pl.Config(engine_affinity="in-memory"):
            self._in_transaction(observed, as_of, latest, before, beside or {})

    def _in_transaction(
        self, observed: pl.DataFrame, as_of: date, latest: pl.DataFrame | None, before: date | None, beside: Mapping[str, pl.DataFrame]
    ) -> None:
        small, unwritten = self._small.copy(), self._unwritten.copy()
        try:
            self._replace("latest_observation", latest_after(self.latest_observations(), observed) if latest is None else latest)
            for name, frame in beside.items():
                self._replace(f"kept_{name}", frame)
            self._advance(observed, as_of, before)
        except BaseException:
            self._forget()
            self._small, self._unwritten = small, unwritten
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def is_empty(self) -> bool:
        """True where no observation was ever taken in: there are no intervals, versions or windows then."""
        return not self._exists("interval")

    def series(self) -> pl.LazyFrame:
        """What each series is: rows of `staging.price_series`."""
        best = self._small_table("best_observation")
        assert best is not None
        return self._series(best).lazy()

    def kept(self, name: str) -> pl.DataFrame | None:
        """What the last call of `advance` that gave a frame of this name put beside."""
        return self._small_table(f"kept_{name}")

    def finish(self) -> None:
        """Write what was held back: small tables that a history that is not lasting writes once, instead of in each step."""
        for table in sorted(self._unwritten):
            self._write(table, self._small[table], replace=True)
        self._unwritten.clear()
        self._connection.execute("CHECKPOINT history")

    def parts(self) -> list[str]:
        """Beginnings of the ids of series, in order, that part the history so that each part fits into memory."""
        rows = sum(self._count(table) for table in ("interval", "superseded", "rolling"))
        digits = next(n for n in range(1, 16) if rows <= _ROWS_IN_A_PART * 16**n)
        return ["".join(part) for part in product("0123456789abcdef", repeat=digits)]

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM history.{table}").fetchall()[0][0]) if self._exists(table) else 0

    def intervals(self, ids_from: str = "") -> pl.LazyFrame:
        """Intervals of `marts.price_history` at the end of `as_of`, with `series_id` alone; of the series whose ids begin so."""
        return as_known_on(self._of_series("interval", ids_from, "valid_from"), self._known_day())

    def versions(self, ids_from: str = "") -> pl.LazyFrame:
        """Rows of `marts.price_history_versions`; of the series whose ids begin so."""
        rows, superseded = self._of_series("interval", ids_from, "valid_from"), self._of_series("superseded", ids_from, "known_from")
        return described_versions(rows, superseded, self.series(), self._known_day())

    def rolling(self, ids_from: str = "") -> pl.LazyFrame:
        """Rows of `marts.gpu_price_rolling`; of the series whose ids begin so."""
        if not self._exists("rolling"):
            return pl.LazyFrame(schema=self._rolling.polars_schema())
        return self._of_series("rolling", ids_from, "on_date, window_days")

    def _of_series(self, table: str, ids_from: str, order: str) -> pl.LazyFrame:
        sql = f"SELECT * FROM history.{table} WHERE starts_with(series_id, $ids_from) ORDER BY series_id, {order}"
        rows = self._connection.sql(sql, params={"ids_from": ids_from}).pl()
        return (self._unpacked(rows) if "provenance" in rows.columns else rows).lazy()

    def latest_observations(self) -> pl.DataFrame:
        """The last observation of each series by each source, as far as new ones are compared with it. Empty before the first."""
        found = self._small_table("latest_observation")
        return pl.DataFrame(schema={name: self._observation.polars_schema()[name] for name in _LATEST_COLUMNS}) if found is None else found

    def _known_day(self) -> date:
        found = self.as_of
        if found is None:
            raise ValueError("the history is empty: nothing was taken in yet")
        return found

    def _advance(self, observed: pl.DataFrame, as_of: date, before: date | None) -> None:
        observed = observed.with_columns(identity())
        best = _first_of(observed.select(*_BEST_COLUMNS, "identity"), _BEST_FIRST, ["identity"])
        known = self._small_table("best_observation")
        both = best if known is None else pl.concat([known.with_columns(identity()), best])
        self._replace("best_observation", _first_of(both, _BEST_FIRST, ["identity"]).drop("identity"))
        identified = with_series(observed.lazy(), self._ids_of(best).lazy()).collect()
        changed = []
        # Series need no other: of many rows, a part of the series at a time.
        for part in _parts(identified, _ROWS_AT_ONCE):
            nearby = self._nearby(part)
            pieces = in_pieces(part.lazy(), None if nearby is None else nearby.lazy()).collect()
            for number, piece in enumerate(sorted(pieces.get_column("piece").unique())):
                batch = pieces.filter(pl.col("piece") == piece)
                changed.append(self._take(batch, nearby if number == 0 else self._nearby(batch)))
        touched = self._touched(changed, as_of, before)
        days = touched.select((_day(as_of) + 1 - pl.col("from_day")).sum()).item() or 0
        for part in _parts(touched, touched.height if days <= _DAYS_ROLLED_AT_ONCE else 0):
            self._roll(part, as_of, before)
        for table, rows in self._last_rows.items():
            self._replace(f"last_{table}", rows)
        self._replace("progress", pl.DataFrame({"as_of": [as_of]}))

    def _nearby(self, batch: pl.DataFrame) -> pl.DataFrame | None:
        """Statements of the series of a batch: the last of each source, and what holds where the batch begins to change them or after."""
        if not self._exists("statement"):
            return None
        new, last = statements(batch.lazy()).collect().lazy(), self._last("statement", batch)
        since = touched_since(new, last.lazy()).collect()
        nearby = pl.concat([last, self._reaching("statement", since)])
        # What holds there may tell of an instant further back than the last of each source did.
        again = touched_since(new, nearby.lazy()).collect()
        further = again.join(since, on=["series_id", "from_at"], how="anti")
        return nearby if further.is_empty() else pl.concat([last, self._reaching("statement", again)])

    def _take(self, batch: pl.DataFrame, nearby: pl.DataFrame | None) -> pl.DataFrame:
        """One piece: what it touches is read, taken out and written again. Gives the series changed, each from which day."""
        taken = batch.lazy()
        if nearby is None:
            step = advance(taken)
        else:
            nearby = nearby.join(batch, on="series_id", how="semi")
            since = touched_since(statements(taken), nearby.lazy()).collect()
            rows = pl.concat([self._last("interval", since), self._reaching("interval", since)])
            step = advance(taken, nearby.drop("row_number", "is_last", "reach_at").lazy(), rows.drop("row_number").lazy())
            self._delete("statement", nearby)
            self._delete("interval", rows)
        self._add("statement", step.stated)
        self._add("interval", step.rows)
        self._write("superseded", step.superseded)
        return step.changed

    def _last(self, table: str, series: pl.DataFrame) -> pl.DataFrame:
        """The last rows of some series."""
        return self._unpacked(self._all_last(table).join(series, on="series_id", how="semi"))

    def _all_last(self, table: str) -> pl.DataFrame:
        # A few of each series, which every step asks for: looking for them among all rows would cost more as these grow.
        if table not in self._last_rows:
            found = self._small_table(f"last_{table}")
            assert found is not None
            self._last_rows[table] = found
        return self._last_rows[table]

    def _reaching(self, table: str, since: pl.DataFrame, columns: str = "t.*") -> pl.DataFrame:
        """Rows before the last ones that reach to `from_at` of their series or beyond; older rows are passed over."""
        reach, is_last = _REACH[table]
        least = _least(since, "from_at") or datetime.max
        where = f"NOT ({is_last}) AND {reach} >= TIMESTAMP '{least}' AND {reach} >= i.from_at"
        with self._given("incoming", since.select("series_id", "from_at")):
            rows = self._read(f"SELECT {columns} FROM history.{table} AS t INNER JOIN incoming AS i USING (series_id) WHERE {where}")
        return self._unpacked(rows) if "provenance" in rows.columns else rows

    def _packed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Where a figure comes from, as a number: four long texts on each row would be most of what is written."""
        known = self._provenance()
        new = rows.select(PROVENANCE).unique(maintain_order=True).join(known, on=PROVENANCE, how="anti", nulls_equal=True)
        if not new.is_empty():
            added = new.with_row_index("provenance", known.height).select(*PROVENANCE, pl.col("provenance").cast(pl.Int64))
            self._write("provenance", added)
            self._known_provenance = known = pl.concat([known, _copied(added)])
        return rows.join(known, on=PROVENANCE, how="left", nulls_equal=True, maintain_order="left").drop(PROVENANCE)

    def _unpacked(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self._provenance(), on="provenance", how="left", maintain_order="left").drop("provenance")

    def _provenance(self) -> pl.DataFrame:
        if self._known_provenance is None:
            schema = {**dict.fromkeys(PROVENANCE, pl.String), "provenance": pl.Int64}
            self._known_provenance = (
                self._read("SELECT * FROM history.provenance") if self._exists("provenance") else pl.DataFrame(schema=schema)
            )
        return self._known_provenance

    def _touched(self, changed: list[pl.DataFrame], as_of: date, before: date | None) -> pl.DataFrame:
        """Series with `from_day`, the first day for which windows are to be computed: changed ones, and those that windows still reach."""
        schema = {"series_id": pl.String, "from_day": pl.Int64}
        if not self._exists("interval"):
            return pl.DataFrame(schema=schema)
        next_day = _next_day(before)
        reach = datetime.combine(_EPOCH + timedelta(days=max(next_day - _REACH_DAYS, 0)), time())
        still = self._all_last("interval").filter(pl.col("valid_to") > reach)
        return (
            pl.concat([*changed, still.select("series_id", from_day=pl.lit(next_day, dtype=pl.Int64))])
            .group_by("series_id")
            .agg(pl.col("from_day").min())
            .filter(pl.col("from_day") <= _day(as_of))
        )

    def _roll(self, touched: pl.DataFrame, as_of: date, before: date | None) -> None:
        """Compute the windows that end on a touched day, in place of those that were."""
        last_day = _day(as_of)
        # A window that ends on the first such day begins this much earlier; the interval before tells whether its first price is a change.
        # Series go by number here: hundreds of thousands of texts take longer to sort than to compute with.
        from_at = (pl.col("from_day").clip(_REACH_DAYS) - _REACH_DAYS).cast(pl.Int32).cast(pl.Date).cast(pl.Datetime("us"))
        numbered = touched.sort("series_id").with_row_index("series").with_columns(from_at=from_at)
        columns = ["series_id", "valid_from", "valid_to", "usd_per_gpu_hour", "observed_at"]
        rows = (
            pl.concat([self._all_last("interval").select(columns), self._reaching("interval", numbered, ", ".join(columns))])
            .join(numbered.select("series_id", "series", "from_day"), on="series_id")
            .with_columns(series_id="series")
        )

        def units_of(chosen: pl.DataFrame) -> pl.LazyFrame:
            return intervals_in_units(ended_by(chosen.lazy(), as_of), as_of)

        several = rows.filter(pl.col("from_day") < last_day)
        first = numbered.lazy().select(series_id="series", from_day="from_day", __id="series_id")
        rolled = [statistics_on(units_of(rows.filter(pl.col("from_day") == last_day)), last_day)]
        if not several.is_empty():
            rolled.append(rolling_statistics(units_of(several), last_day))
        found = (
            in_usd(pl.concat(rolled).join(first, on="series_id").filter(pl.col("day") >= pl.col("from_day")).with_columns(series_id="__id"))
            .sort("on_date", "series_id", "window_days")
            .collect()
        )
        self._rolling.conform(found.lazy())
        if self._exists("rolling") and touched.filter(pl.col("from_day") < _next_day(before)).height:
            first_day = _EPOCH + timedelta(days=touched.select(pl.col("from_day").min()).item())
            with self._given("incoming", touched.with_columns(on_date=pl.col("from_day").cast(pl.Int32).cast(pl.Date))):
                self._connection.execute(
                    "DELETE FROM history.rolling AS r USING incoming AS i"
                    f" WHERE r.on_date >= DATE '{first_day}' AND r.series_id = i.series_id AND r.on_date >= i.on_date"
                )
        self._write("rolling", found)

    def _ids_of(self, best: pl.DataFrame) -> pl.DataFrame:
        # An id is a hash of its parts: worked out once for each series.
        unknown = best if self._ids is None else best.join(self._ids, on="identity", how="anti")
        if self._ids is None or not unknown.is_empty():
            new = _copied(self._series(unknown).select("series_id", identity()))
            self._ids = new if self._ids is None else pl.concat([self._ids, new])
        return self._ids

    def _series(self, observed: pl.DataFrame) -> pl.DataFrame:
        with self._given("price_observation", observed):
            return self._read(SERIES_SQL)

    def _exists(self, table: str) -> bool:
        return table in self._known_tables()

    def _known_tables(self) -> set[str]:
        if self._tables is None:
            found = self._connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'history'").fetchall()
            self._tables = {name for (name,) in found}
        return self._tables

    def _read(self, sql: str) -> pl.DataFrame:
        frame: pl.DataFrame = self._connection.sql(sql).pl()
        return frame

    def _add(self, table: str, rows: pl.DataFrame) -> None:
        """Append rows of a table from which they are taken out again one by one: numbered, and with a number for where they come from."""
        is_new = not self._exists(table)
        if table not in self._next_row:
            sql = f"SELECT coalesce(max(row_number) + 1, 0) FROM history.{table}"
            self._next_row[table] = 0 if is_new else self._connection.execute(sql).fetchall()[0][0]
        numbered = rows.with_row_index("row_number", self._next_row[table]).with_columns(pl.col("row_number").cast(pl.Int64))
        self._next_row[table] += rows.height
        frame = self._packed(numbered)
        if table == "statement":
            # A later point of its source makes a statement the last no more; what another took the place of holds for no time.
            frame = frame.with_columns(
                is_last=pl.col("first_seen_at") == pl.col("first_seen_at").max().over("series_id", "source"),
                reach_at=pl.coalesce("held_until", "first_seen_at"),
            )
        last = frame.filter(pl.sql_expr(_REACH[table][1]))
        before = last.clear() if is_new else self._all_last(table)
        self._last_rows[table] = _copied(pl.concat([before, last.select(before.columns)]))
        self._write(table, frame)

    def _write(self, table: str, frame: pl.DataFrame, *, replace: bool = False) -> None:
        with self._given("incoming", frame):
            if replace or not self._exists(table):
                self._connection.execute(f"CREATE OR REPLACE TABLE history.{table} AS SELECT * FROM incoming")
                self._known_tables().add(table)
            else:
                self._connection.execute(f"INSERT INTO history.{table} BY NAME SELECT * FROM incoming")

    def _small_table(self, table: str) -> pl.DataFrame | None:
        """A table that is held, since it is written anew as a whole where it changes."""
        if table not in self._small and self._exists(table):
            self._small[table] = self._read(f"SELECT * FROM history.{table}")
        return self._small.get(table)

    def _replace(self, table: str, frame: pl.DataFrame) -> None:
        before = self._small_table(table)
        if before is not None and before.equals(frame):
            return
        self._small[table] = frame
        if self._is_lasting:
            self._write(table, frame, replace=True)
        else:
            self._unwritten.add(table)

    def _delete(self, table: str, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        least = rows.select(pl.col("row_number").min()).item()
        with self._given("incoming", rows.select("row_number")):
            self._connection.execute(
                f"DELETE FROM history.{table} WHERE row_number >= {least} AND row_number IN (SELECT row_number FROM incoming)"
            )
        self._last_rows[table] = self._all_last(table).join(rows, on="row_number", how="anti")

    @contextmanager
    def _given(self, name: str, frame: pl.DataFrame) -> Iterator[None]:
        self._connection.register(name, frame.to_arrow())
        try:
            yield
        finally:
            self._connection.unregister(name)


# About so many rows of a part are read at once.
_ROWS_IN_A_PART = 1_000_000
# Above so many rows, or days of series with windows, a part of the series at a time.
_ROWS_AT_ONCE = 400_000
_DAYS_ROLLED_AT_ONCE = 400_000


def _parts(rows: pl.DataFrame, at_once: int) -> Iterator[pl.DataFrame]:
    """Rows in parts of whole series, by the first digit of their ids, where there are more than `at_once`."""
    parts = [rows] if rows.height <= at_once else [rows.filter(pl.col("series_id").str.starts_with(d)) for d in "0123456789abcdef"]
    return (part for part in parts if part.height)


def _least(frame: pl.DataFrame, column: str) -> datetime | None:
    found: datetime | None = frame.select(pl.col(column).min()).item()
    return found


def _day(day: date) -> int:
    return (day - _EPOCH).days


def _next_day(before: date | None) -> int:
    return _day(before) + 1 if before is not None else 0


# Tables whose rows are taken out one by one: until when a row matters to a later one, and which is the last.
_REACH = {"statement": ("reach_at", "is_last"), "interval": ("next_from", "next_from IS NULL")}
# As in `series`: whose word on what a series is counts.
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
_LATEST_KEY = [*IDENTITY, "source", "gpu", "instance_type"]
_LATEST_COLUMNS = list(dict.fromkeys([*COMPARED, *_LATEST_KEY]))
_ATTRIBUTES = ["country", "instance_type", "gpu", "form_factor", "gpu_count"]
_BEST_COLUMNS = [*IDENTITY, *_ATTRIBUTES, *(name for name, _ in _BEST_FIRST)]
_NEEDED = {*_BEST_COLUMNS, *_LATEST_COLUMNS, *STATEMENT, *FIGURES, *PROVENANCE, "known_from", "semantics"}


def latest_after(latest: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """`latest_observations` after further rows of `staging.price_observation`."""
    return _first_of(pl.concat([latest, observed.select(latest.columns)]), _LATEST_FIRST, _LATEST_KEY)


def _first_of(frame: pl.DataFrame, order: Sequence[tuple[str, str]], key: Sequence[str]) -> pl.DataFrame:
    descending = [direction == "DESC" for _, direction in order]
    return frame.sort([name for name, _ in order], descending=descending, nulls_last=True).unique(key, keep="first", maintain_order=True)


def _copied(few: pl.DataFrame) -> pl.DataFrame:
    # A few rows that are kept would keep all texts of the large frame that they were chosen from.
    copied = pl.from_arrow(few.to_arrow(compat_level=pl.CompatLevel.oldest()))
    assert isinstance(copied, pl.DataFrame)
    return copied


@contextmanager
def open_history(path: Path, catalogue: Catalogue, *, is_lasting: bool = True) -> Iterator[HistoryStore]:
    """Open the history file, making it where it is missing.

    One that is not lasting is for many steps in one go: a kill loses it, and steps cost less.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        # A replay is hundreds of small commits: bringing each few of them to their places would take an eighth of its time.
        connection.execute("SET wal_autocheckpoint = '256MB'")
        connection.execute("SET temp_directory = ?", [str(path.with_suffix(".temp"))])
        options = f"ROW_GROUP_SIZE {_ROW_GROUP_ROWS}" if is_lasting else "RECOVERY_MODE no_wal_writes"
        connection.execute(f"ATTACH {quoted(path)} AS history ({options})")
        history = HistoryStore(connection, catalogue, is_lasting=is_lasting)
        yield history
        history.finish()
    finally:
        connection.close()
