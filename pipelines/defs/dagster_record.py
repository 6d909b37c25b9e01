"""Dagster's own record of runs, in the data folder: where it is, kept sound and small.

Belongs here: everything that touches `data/dagster` besides Dagster. Does not belong here: our record (`publication.ops`). Nothing of a
refresh depends on it: a record that cannot be read is set aside, and old runs go.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipelines.platform.clock import utc_now
from pipelines.platform.paths import DAGSTER_YAML, DataFolder

log = logging.getLogger("breakeven")

# Dagster makes an address of the path of its SQLite files without encoding it: these would begin a code, a query or a fragment.
_ODD_IN_ADDRESSES = "%?#"
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# Where the events of a run lie in SQLite; asked for by what they are of, the newest is what pages and freshness need. A check that is
# planned has no verdict, and never gets one where the refresh finds nothing new.
_OLD_EVENTS = """
    DELETE FROM event_logs
    WHERE run_id IN ({runs}) AND id NOT IN (
        SELECT max(id) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY asset_key
    )
"""
_OLD_CHECKS = """
    DELETE FROM asset_check_executions
    WHERE run_id IN ({runs}) AND id NOT IN (
        SELECT max(id) FROM asset_check_executions WHERE execution_status <> 'PLANNED' GROUP BY asset_key, check_name
    )
"""
# Every materialization has a tag of each kind; those of an event that is gone say nothing.
_OLD_TAGS = "DELETE FROM asset_event_tags WHERE event_id NOT IN (SELECT id FROM event_logs)"
# What is left of a run is a schema with hardly a row: each of its tables and indexes takes a page, however small.
_SMALL_PAGES = ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512")
_KEPT_OF_A_RUN = "('PIPELINE_START', 'PIPELINE_SUCCESS')"


@contextmanager
def dagster_home(data: Path) -> Iterator[Path]:
    """Dagster's home in a data folder, with the project's `dagster.yaml`; a path that Dagster can make an address of."""
    home = DataFolder(data).dagster
    home.mkdir(parents=True, exist_ok=True)
    if not _is_sound(home):
        aside = DataFolder(data).unreadable_dagster
        shutil.rmtree(aside, ignore_errors=True)
        home.rename(aside)
        home.mkdir()
        log.warning("Dagster's record of runs could not be read; it is set aside as %s and a new one begins", aside)
    shutil.copyfile(DAGSTER_YAML, home / "dagster.yaml")
    if not any(character in str(home) for character in _ODD_IN_ADDRESSES):
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="breakeven-") as folder:
        alias = Path(folder) / "dagster"
        alias.symlink_to(home.resolve())
        yield alias


def thin_out(instance: dg.DagsterInstance, home: Path, job_name: str, own_run_id: str, keep: timedelta) -> None:
    """Remove runs older than `keep`, and of the others that succeeded all but that they did. Call under the refresh lock."""
    finished = instance.get_run_records(filters=dg.RunsFilter(job_name=job_name, statuses=_FINISHED))
    horizon = utc_now() - keep
    thin = []
    for record in finished:
        run = record.dagster_run
        if run.run_id == own_run_id:
            continue
        if record.create_timestamp.replace(tzinfo=None) < horizon:
            instance.delete_run(run.run_id)
            shutil.rmtree(home / "storage" / run.run_id, ignore_errors=True)
            for file in (home / "history" / "runs").glob(f"{run.run_id}.db*"):
                file.unlink()
        elif run.is_success:
            thin.append(run.run_id)
    for run_id in thin:
        shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
        events = f"DELETE FROM event_logs WHERE dagster_event_type NOT IN {_KEPT_OF_A_RUN}"
        _delete(home / "history" / "runs" / f"{run_id}.db", events, before_vacuum=_SMALL_PAGES)
    marks = ", ".join(f"'{run_id}'" for run_id in thin)
    if thin:
        _delete(home / "history" / "runs" / "index.db", _OLD_EVENTS.format(runs=marks), _OLD_CHECKS.format(runs=marks), _OLD_TAGS)


def _delete(file: Path, *statements: str, before_vacuum: Sequence[str] = ()) -> None:
    # Of an instance that keeps its record elsewhere (PostgreSQL) there is no file.
    if not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=10.0, isolation_level=None)) as connection:
        changed = sum(connection.execute(statement).rowcount for statement in statements)
        if changed:
            for statement in (*before_vacuum, "VACUUM"):
                connection.execute(statement)


def _is_sound(home: Path) -> bool:
    for file in home.rglob("*.db"):
        try:
            with closing(sqlite3.connect(file, timeout=10.0)) as connection:
                if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    return False
        except sqlite3.OperationalError:
            continue  # locked, or not to be opened: the disk's fault, not that of its content
        except sqlite3.DatabaseError:
            return False
    return True
