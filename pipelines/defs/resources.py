"""The resource of a run: its refresh session."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import dagster as dg
from pydantic import Field

from pipelines.defs.dagster_record import thin_out
from pipelines.refresh.lifecycle import record_start
from pipelines.refresh.session import RefreshSession, refresh_session

JOB_NAME = "refresh"
# The schedule waits for a refresh that a person started; a person is told at once.
_DAEMON_WAIT_SECONDS = 600.0

log = logging.getLogger("breakeven")


class SessionResource(dg.ConfigurableResource[RefreshSession]):
    """Settings, lock, stores and record of one refresh: what an asset asks for as `session`."""

    as_of: str | None = Field(default=None, description="Day to compute for (YYYY-MM-DD); default: today, UTC.")
    offline: bool = Field(default=False, description="Fetch nothing from the network.")
    rebuild: bool = Field(default=False, description="Build and publish even where nothing changed.")
    only_source: str | None = Field(default=None, description="Fetch this source only.")
    lock_wait_seconds: float = Field(default=_DAEMON_WAIT_SECONDS, description="How long to wait for another refresh to end.")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RefreshSession]:
        """One session per run; the in-process executor keeps it for all steps."""
        run_id = context.run_id or "interactive"
        with refresh_session(
            run_id,
            date.fromisoformat(self.as_of) if self.as_of else None,
            offline=self.offline,
            rebuild=self.rebuild,
            only_source=self.only_source,
            lock_wait_seconds=self.lock_wait_seconds,
        ) as session:
            if context.instance is not None:
                tidy_record(context.instance, session)
            record_start(session)
            yield session


def tidy_record(instance: dg.DagsterInstance, session: RefreshSession) -> None:
    """Mark runs that a crash left as started, and keep Dagster's record small. Call under the refresh lock."""
    _fail_runs_left_started(instance, session.run_id)
    keep = timedelta(days=session.settings.keep_record_days)
    thin_out(instance, session.settings.folders.dagster, JOB_NAME, session.run_id, keep)


def _fail_runs_left_started(instance: dg.DagsterInstance, own_run_id: str) -> None:
    # Under the lock nothing else runs: what is still marked so was killed, and the queue would count it for ever.
    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(filters=dg.RunsFilter(job_name=JOB_NAME, statuses=unfinished)):
        if run.run_id != own_run_id:
            instance.report_run_failed(run, f"ended without a word; found by run {own_run_id}")
            log.warning("run %s was left unfinished by a crash and is marked as failed", run.run_id)
