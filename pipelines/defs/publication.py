"""The last asset: views, dashboard and manifest of a new version, then the swap of the link."""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.contracts import Catalogue
from pipelines.defs.tables import table_key
from pipelines.models import tables_read
from pipelines.refresh import bi_views, publish_version
from pipelines.session import RefreshSession

log = logging.getLogger("breakeven")
CURRENT = dg.AssetKey(["publication", "current"])


def build_publication(catalogue: Catalogue) -> dg.AssetsDefinition:
    """One multi-asset of all `bi` views, the dashboard and the published version; it runs as a whole or not at all."""
    views = bi_views()
    specs = [
        dg.AssetSpec(
            ["bi", name],
            deps=[
                table_key(catalogue.tables[t.name])
                for t in tables_read(sql, f"sql/bi/{name}.sql")
                if t.name in catalogue.tables and catalogue.tables[t.name].layer == "marts"
            ],
            group_name="bi",
            kinds={"sql", "duckdb", "view"},
            owners=["team:breakeven"],
            description=" ".join(line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--")),
        )
        for name, sql in views.items()
    ]
    view_keys = [spec.key for spec in specs]
    page = dg.AssetSpec(
        ["publication", "dashboard"],
        deps=view_keys,
        group_name="publication",
        kinds={"altair", "html"},
        owners=["team:breakeven"],
        description="The static dashboard, made from the views of schema bi.",
    )
    current = dg.AssetSpec(
        CURRENT,
        deps=[page, *view_keys, *(table_key(c) for c in catalogue.layer("marts"))],
        group_name="publication",
        kinds={"duckdb", "parquet"},
        owners=["team:breakeven"],
        description="The current version: DuckDB file, Parquet, dashboard and manifest behind one link, swapped when all is verified.",
    )

    @dg.multi_asset(specs=[*specs, page, current], name="publication", required_resource_keys={"session"})
    def publication(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        session: RefreshSession = context.resources.session
        folder = publish_version(session)
        log.info("published %s", folder.name)
        for key in view_keys:
            yield dg.MaterializeResult(asset_key=key)
        yield dg.MaterializeResult(asset_key=page.key, metadata={"path": dg.MetadataValue.path(folder / "dashboard.html")})
        yield dg.MaterializeResult(asset_key=CURRENT, metadata={"path": dg.MetadataValue.path(folder)})

    return publication
