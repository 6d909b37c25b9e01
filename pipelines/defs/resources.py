"""The two resources: the refresh session of a run, and the IO manager that puts tables into its build files."""

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from pipelines.catalogue.contracts import Contract, catalogue
from pipelines.defs.dagster_record import thin_out
from pipelines.refresh.lifecycle import record_start
from pipelines.refresh.session import RefreshSession, refresh_session

JOB_NAME = "refresh"
# The schedule waits for a refresh that a person started; a person is told at once.
_DAEMON_WAIT_SECONDS = 600.0

log = logging.getLogger("breakeven")


@dg.resource(
    config_schema={
        "as_of": dg.Field(dg.Noneable(str), default_value=None, description="Day to compute for (YYYY-MM-DD); default: today, UTC."),
        "offline": dg.Field(bool, default_value=False, description="Fetch nothing from the network."),
        "rebuild": dg.Field(bool, default_value=False, description="Build and publish even where nothing changed."),
        "only_source": dg.Field(dg.Noneable(str), default_value=None, description="Fetch this source only."),
        "lock_wait_seconds": dg.Field(float, default_value=_DAEMON_WAIT_SECONDS),
    },
    description="Settings, lock, stores and record of one refresh.",
)
def session_resource(context: dg.InitResourceContext) -> Iterator[RefreshSession]:
    """One session per run; the in-process executor keeps it for all steps."""
    config = context.resource_config
    run_id = context.run_id or "interactive"
    with refresh_session(
        run_id,
        date.fromisoformat(config["as_of"]) if config["as_of"] else None,
        offline=config["offline"],
        rebuild=config["rebuild"],
        only_source=config["only_source"],
        lock_wait_seconds=config["lock_wait_seconds"],
    ) as session:
        if context.instance is not None:
            _fail_runs_left_started(context.instance, run_id, session)
            keep = timedelta(days=session.settings.keep_record_days)
            thin_out(context.instance, session.settings.data / "dagster", JOB_NAME, run_id, keep)
        record_start(session)
        yield session


def _fail_runs_left_started(instance: dg.DagsterInstance, own_run_id: str, session: RefreshSession) -> None:
    # Under the lock nothing else runs: what is still marked so was killed, and the queue would count it for ever.
    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(filters=dg.RunsFilter(job_name=JOB_NAME, statuses=unfinished)):
        if run.run_id != own_run_id:
            instance.report_run_failed(run, f"ended without a word; found by run {own_run_id}")
            log.warning("run %s was left unfinished by a crash and is marked as failed", run.run_id)


class WarehouseIOManager(dg.IOManager):
    """Writes each table by its contract and reads it back: exact columns and types, one transaction, never by position."""

    def __init__(self, session: RefreshSession) -> None:
        self._session = session

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame | Path) -> None:
        """Replace the table of this asset: with a frame, or with the Parquet file that holds it."""
        if isinstance(obj, Path):
            self._session.warehouse.show(_contract(context.asset_key), obj)
        else:
            self._session.warehouse.write(_contract(context.asset_key), obj)

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """Read the table of an upstream asset."""
        return self._session.warehouse.read(_contract(context.asset_key))


def _contract(key: dg.AssetKey) -> Contract:
    return catalogue().tables[key.path[-1]]


@dg.io_manager(required_resource_keys={"session"}, description="The build files of the warehouse.")
def warehouse_io_manager(context: dg.InitResourceContext) -> WarehouseIOManager:
    """The IO manager of every table."""
    return WarehouseIOManager(context.resources.session)
