"""Running the job in this process, for a session that is open.

Belongs here: the Dagster instance of a data folder, running, and the error that stopped it. Does not belong here: opening the session
(whoever asks for the run), the job itself (`pipelines.definitions`).
"""

import os
from collections.abc import Sequence
from functools import cache

import dagster as dg

from pipelines.definitions import defs
from pipelines.defs.dagster_record import dagster_home
from pipelines.defs.event_log import EVENTS_AT_ONCE, instance_ref
from pipelines.defs.resources import JOB_NAME, tidy_record
from pipelines.refresh.session import RefreshSession


def run_job(session: RefreshSession) -> str | None:
    """Run the job `refresh` as the run of this session; gives the error that stopped it, None where it went well."""
    os.environ.setdefault(*EVENTS_AT_ONCE)
    with dagster_home(session.settings.data) as home, dg.DagsterInstance.from_ref(instance_ref(home)) as instance:
        os.environ["DAGSTER_HOME"] = str(home)
        tidy_record(instance, session)
        asked = {"as_of": session.as_of.isoformat(), "offline": session.offline, "rebuild": session.rebuild}
        result = _job().execute_in_process(
            instance=instance,
            run_id=session.run_id,
            resources={"session": session},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={f"breakeven/{name}": str(value) for name, value in asked.items()},
            raise_on_error=False,
        )
        return None if result.success else _first_error(result.all_events)


@cache
def _job() -> dg.JobDefinition:
    return defs().resolve_job_def(JOB_NAME)


def _first_error(events: Sequence[dg.DagsterEvent]) -> str:
    for event in events:
        if event.is_failure:
            error = getattr(event.event_specific_data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return f"{event.step_key or 'run'}: {error.message.strip()}"
    return "the run ended with an error; see its log in Dagster"
