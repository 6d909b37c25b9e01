"""The job, its daily schedule, and the sensor that makes a failed run visible."""

import logging
import os

import dagster as dg

from pipelines.defs.resources import JOB_NAME
from pipelines.monitoring.watch import after_refresh
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import load_settings
from pipelines.refresh.lifecycle import close_failed

log = logging.getLogger("breakeven")

refresh_job = dg.define_asset_job(
    JOB_NAME,
    selection=dg.AssetSelection.all(),
    description="Ingest, build, check and publish: what the schedule and `breakeven refresh` run.",
    executor_def=dg.in_process_executor,
)


@dg.schedule(
    job=refresh_job,
    cron_schedule="15 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every day, after the day's reference rates of the day before are out everywhere.",
)
def daily_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Refresh for the day of the tick."""
    day = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=day, run_config={"resources": {"session": {"config": {"as_of": day}}}})


@dg.run_failure_sensor(
    monitored_jobs=[refresh_job],
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Publishes the last good figures again with the record of the failure, so that readers see it.",
)
def failed_refresh(context: dg.RunFailureSensorContext) -> None:
    """Make a failed run visible in the published version and in the log."""
    settings = load_settings(os.environ)
    failed = close_failed(settings, context.dagster_run.run_id, context.failure_event.message)
    after_refresh(settings, os.environ, utc_now())
    context.log.error("refresh %s: %s", failed.outcome, failed.reason)
    log.error("refresh %s: %s", failed.outcome, failed.reason)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[refresh_job],
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Writes the metrics of a finished run and tells what is new.",
)
def finished_refresh(context: dg.RunStatusSensorContext) -> None:
    """What follows a run that went well; what was told already is not told again."""
    after_refresh(load_settings(os.environ), os.environ, utc_now())
