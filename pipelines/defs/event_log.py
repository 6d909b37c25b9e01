"""Dagster's SQLite event log with its connections kept open for as long as the instance lives.

Belongs here: how events reach the disk. Does not belong here: which events there are. Dagster's own storage makes an engine, opens the file
and compiles the statement again for each event, which was a fifth of a refresh. The files and tables are Dagster's own, so that its
daemon and pages read them as ever; they use Dagster's own storage.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as db
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """One engine a file, whose statements are compiled once. A commit waits for the disk at checkpoints only: a crash of the machine
    may lose the last events, never the file."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._batch: tuple[ExitStack, dict[str, Connection]] | None = None
        self._found: set[str] = set()
        super().__init__(base_dir, inst_data)
        # A batch takes it for all of its events, each of which takes it again.
        self._db_lock: Any = threading.RLock()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> KeptSqliteEventLogStorage:
        """As Dagster makes it of the instance's configuration."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = self._opened(shard)
            if self._batch is None:
                with engine.begin() as connection:
                    yield connection
            else:
                ended_with_it, open_ones = self._batch
                if shard not in open_ones:
                    open_ones[shard] = ended_with_it.enter_context(engine.begin())
                yield open_ones[shard]

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events that belong together, such as what a run plans, in one transaction of each file."""
        with self._db_lock, ExitStack() as ended_with_it:
            self._batch = ended_with_it, {}
            try:
                super().store_event_batch(events)
            finally:
                self._batch = None

    def _opened(self, shard: str) -> Engine:
        engine = db.create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
        db.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = NORMAL"))
        self._initdb(engine)
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; asked for every check, and no table ever goes."""
        if table_name not in self._found and super().has_table(table_name):
            self._found.add(table_name)
        return table_name in self._found

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        # Asked for every asset, and no column ever goes.
        name = f"asset_keys.{column_name}"
        if name not in self._found and super()._has_asset_key_col_on_connection(conn, column_name):
            self._found.add(name)
        return name in self._found

    def dispose(self) -> None:
        """Close all files."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


# Of what Dagster gives together at most so many events are one batch; it reads this from its environment, and 0 is its own default.
EVENTS_AT_ONCE = ("DAGSTER_EVENT_BATCH_SIZE", "10000")


def instance_ref(home: Path) -> InstanceRef:
    """Reference to the instance of this home with this storage instead of Dagster's."""
    storage = {
        "module": KeptSqliteEventLogStorage.__module__,
        "class": KeptSqliteEventLogStorage.__name__,
        "config": {"base_dir": str(home / "history" / "runs")},
    }
    return InstanceRef.from_dir(str(home), overrides={"event_log_storage": storage})
