"""All assets: found, never listed, from the contracts, the models and the sources.

Belongs here: putting them together. Does not belong here: what one of them does (the other modules of this package).
"""

import dagster as dg

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.defs.ingest import build_ingest
from pipelines.defs.publication import build_publication
from pipelines.defs.tables import build_model_assets, build_raw_tables
from pipelines.ingest.registry import discover


def all_assets() -> list[dg.AssetsDefinition]:
    """Snapshots, raw tables, models, then the publication."""
    tables = catalogue()
    modules = discover(tables)
    return [
        build_ingest(modules),
        build_raw_tables(tables, modules),
        *build_model_assets(tables, models()),
        build_publication(tables),
    ]
