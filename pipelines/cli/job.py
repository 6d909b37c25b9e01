"""Running the job in this process, as the command line does: the same job that the schedule starts.

Belongs here: the Dagster instance of a data folder, running, and what came out. Does not belong here: printing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import dagster as dg

from pipelines.definitions import defs
from pipelines.defs.dagster_record import dagster_home
from pipelines.defs.event_log import EVENTS_AT_ONCE, instance_ref
from pipelines.defs.resources import JOB_NAME
from pipelines.platform.settings import Settings
from pipelines.publication.ops import OpsRecorder
from pipelines.refresh.lifecycle import FailedRefresh, close_failed
from pipelines.refresh.record import source_statuses

# A person is told at once that another refresh runs; this only covers the moment in which one ends and the next begins.
_LOCK_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class RefreshOutcome:
    """What came of a run: the status of each source, and how it failed if it did."""

    run_id: str
    sources: list[dict[str, Any]]
    is_unchanged: bool
    failure: FailedRefresh | None


def run_refresh(settings: Settings, as_of: date | None, *, offline: bool, rebuild: bool, only_source: str | None) -> RefreshOutcome:
    """Run the job `refresh`; a failure is published as the record of itself and returned, not raised."""
    os.environ["BREAKEVEN_DATA"] = str(settings.data)
    os.environ.setdefault(*EVENTS_AT_ONCE)
    session = {
        "as_of": as_of.isoformat() if as_of else None,
        "offline": offline,
        "rebuild": rebuild,
        "only_source": only_source,
        "lock_wait_seconds": _LOCK_WAIT_SECONDS,
    }
    run_config = {
        "resources": {"session": {"config": session}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dagster_home(settings.data) as home, dg.DagsterInstance.from_ref(instance_ref(home)) as instance:
        os.environ["DAGSTER_HOME"] = str(home)
        # Not `execute_in_process`: that keeps the output of every step, which is every table, until the end.
        result = dg.execute_job(dg.reconstructable(refresh_job), instance=instance, raise_on_error=False, run_config=run_config)
        run_id, succeeded, events = result.dagster_run.run_id, result.success, result.all_events
        del result
        failure = None if succeeded else close_failed(settings, run_id, _first_error(events), _LOCK_WAIT_SECONDS)
    recorder = OpsRecorder(settings.folders.ops, run_id)
    outcomes = [r["outcome"] for r in recorder.rows("refreshes")]
    return RefreshOutcome(run_id, source_statuses(recorder), "unchanged" in outcomes, failure)


def refresh_job() -> dg.JobDefinition:
    """The job that the schedule runs. Dagster asks for it several times a run."""
    return _resolved_job()


@cache
def _resolved_job() -> dg.JobDefinition:
    return defs().resolve_job_def(JOB_NAME)


def _first_error(events: Sequence[dg.DagsterEvent]) -> str | None:
    for event in events:
        if event.is_failure:
            data = event.event_specific_data
            error = getattr(data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return f"{event.step_key or 'run'}: {error.message.strip()}"
    return None
