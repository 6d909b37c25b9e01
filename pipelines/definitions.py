"""What Dagster sees, assembled in one short function: assets, job, schedule, sensors, resource, and the policies that hold for all."""

from datetime import timedelta

import dagster as dg

from pipelines.defs.assets import all_assets
from pipelines.defs.resources import SessionResource
from pipelines.defs.schedule import daily_refresh, failed_refresh, finished_refresh, refresh_job

# A table is made every day; an hour or two late is no news, a day is a warning, two are a failure.
_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, the job, the schedule, the sensor and the resource."""
    return dg.Definitions(
        assets=dg.map_asset_specs(with_policies, all_assets()),
        jobs=[refresh_job],
        schedules=[daily_refresh],
        sensors=[failed_refresh, finished_refresh],
        resources={"session": SessionResource()},
        executor=dg.in_process_executor,
    )


def with_policies(spec: dg.AssetSpec) -> dg.AssetSpec:
    """What holds for every asset: who answers for it, and how old a table may grow."""
    owned = spec.replace_attributes(owners=["team:breakeven"])
    return owned.replace_attributes(freshness_policy=_FRESHNESS) if spec.group_name in ("raw", "staging", "marts") else owned
