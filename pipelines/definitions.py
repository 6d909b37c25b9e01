"""What Dagster sees, assembled in one short function from contracts, models and sources."""

import dagster as dg

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.defs.ingest import build_ingest
from pipelines.defs.publication import build_publication
from pipelines.defs.resources import session_resource, warehouse_io_manager
from pipelines.defs.schedule import daily_refresh, failed_refresh, finished_refresh, refresh_job
from pipelines.defs.tables import build_model_assets, build_raw_assets
from pipelines.ingest.registry import discover


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, the job, the schedule, the sensor and the resources."""
    tables = catalogue()
    modules = discover(tables)
    return dg.Definitions(
        assets=[
            build_ingest(modules),
            *build_raw_assets(tables, modules),
            *build_model_assets(tables, models()),
            build_publication(tables),
        ],
        jobs=[refresh_job],
        schedules=[daily_refresh],
        sensors=[failed_refresh, finished_refresh],
        resources={"session": session_resource, "warehouse": warehouse_io_manager},
        executor=dg.in_process_executor,
    )
