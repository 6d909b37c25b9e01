"""A refresh in this process, as the command line does it.

Belongs here: from the lock to what came out. Does not belong here: printing, the build itself. Fetching comes first and alone: where it
brings nothing new there is nothing for Dagster to build or to know, and it is not even imported.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.platform.lock import RefreshLockedError
from pipelines.platform.settings import Settings
from pipelines.publication.ops import OpsRecorder
from pipelines.refresh.fetching import fetch_sources
from pipelines.refresh.lifecycle import FailedRefresh, close_failed, record_start
from pipelines.refresh.record import source_statuses
from pipelines.refresh.session import RefreshSession, refresh_session

log = logging.getLogger("breakeven")

# A person is told at once that another refresh runs; a glance of `breakeven status` holds the lock for a moment.
_LOCK_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class RefreshOutcome:
    """What came of a run: the status of each source, and how it failed if it did."""

    run_id: str
    sources: list[dict[str, Any]]
    is_unchanged: bool
    failure: FailedRefresh | None


def run_refresh(settings: Settings, as_of: date | None, *, offline: bool, rebuild: bool, only_source: str | None) -> RefreshOutcome:
    """Refresh; a failure is published as the record of itself and returned, not raised. Raises RefreshLockedError."""
    run_id, problem = str(uuid.uuid4()), None
    try:
        with refresh_session(
            run_id,
            as_of,
            offline=offline,
            rebuild=rebuild,
            only_source=only_source,
            lock_wait_seconds=_LOCK_WAIT_SECONDS,
            settings=settings,
        ) as session:
            problem = _refreshed(session)
    except RefreshLockedError:
        raise
    except Exception as error:
        log.debug("where  run %s", run_id, exc_info=True)
        problem = f"run: {type(error).__name__}: {error}"
    failure = None if problem is None else close_failed(settings, run_id, problem, _LOCK_WAIT_SECONDS)
    recorder = OpsRecorder(settings.folders.ops, run_id)
    outcomes = [r["outcome"] for r in recorder.rows("refreshes")]
    return RefreshOutcome(run_id, source_statuses(recorder), "unchanged" in outcomes, failure)


def _refreshed(session: RefreshSession) -> str | None:
    follows_a_crash = record_start(session)
    # What a crash left in Dagster's record is mended by its next run.
    if not follows_a_crash:
        session.fetched = fetch_sources(session)
        if session.fetched is None:
            return None
    from pipelines.cli.dagster_job import run_job  # noqa: PLC0415  (Dagster takes a second to import)

    return run_job(session)
