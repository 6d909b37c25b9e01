"""The last asset: views, dashboard and manifest of a new version, then the swap of the link."""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.catalogue.contracts import Catalogue
from pipelines.catalogue.published_sql import BI, bi_views
from pipelines.defs.checks import check_specs, rule_results
from pipelines.defs.tables import table_key
from pipelines.platform.paths import SQL_FOLDER
from pipelines.quality.results import CheckError
from pipelines.quality.sql_checks import SQL_TABLE, load_sql_checks, run_sql_check
from pipelines.refresh.lifecycle import publish_version
from pipelines.refresh.record import record_results
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")
CURRENT = dg.AssetKey(["publication", "current"])


def build_publication(catalogue: Catalogue) -> dg.AssetsDefinition:
    """One multi-asset of all `bi` views, the dashboard and the published version; it runs as a whole or not at all."""
    views = bi_views()
    specs = [
        dg.AssetSpec(
            [BI, name],
            deps=[_key(table, catalogue) for table in view.reads if not table.startswith("ops.")],
            group_name="bi",
            kinds={"sql", "duckdb", "view"},
            description=view.comment,
            metadata={
                "dagster/column_schema": dg.TableSchema([dg.TableColumn(c.name, c.type, description=c.comment) for c in view.columns])
            },
        )
        for name, view in views.items()
    ]
    view_keys = [spec.key for spec in specs]
    page = dg.AssetSpec(
        ["publication", "dashboard"],
        deps=view_keys,
        group_name="publication",
        kinds={"altair", "html"},
        description="The static dashboard, made from the views of schema bi.",
    )
    current = dg.AssetSpec(
        CURRENT,
        deps=[page, *view_keys, *(table_key(c) for c in catalogue.layer("marts"))],
        group_name="publication",
        kinds={"duckdb", "parquet"},
        description="The current version: DuckDB file, Parquet, dashboard and manifest behind one link, swapped when all is verified.",
    )

    names = [f"sql_{severity}" for severity in ("critical", "warning")]
    checks = check_specs(CURRENT, names, may_block=True)

    @dg.multi_asset(specs=[*specs, page, current], name="publication", check_specs=checks)
    def publication(session: dg.ResourceParam[RefreshSession]) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        results = [run_sql_check(c, session.warehouse.select, session.as_of) for c in load_sql_checks(SQL_FOLDER / "checks")]
        record_results(session, SQL_TABLE, results)
        yield from rule_results(CURRENT, names, results)
        broken = [r for r in results if r.blocks]
        for result in broken:
            log.error("check  %s %s failed: %s", SQL_TABLE, result.rule, result.detail)
        if broken:
            raise CheckError("; ".join(f"{SQL_TABLE}, {r.rule}: {r.detail}" for r in broken))
        folder = publish_version(session)
        log.info("published %s", folder.name)
        for key in view_keys:
            yield dg.MaterializeResult(asset_key=key)
        yield dg.MaterializeResult(asset_key=page.key, metadata={"path": dg.MetadataValue.path(folder / "dashboard.html")})
        yield dg.MaterializeResult(asset_key=CURRENT, metadata={"path": dg.MetadataValue.path(folder)})

    return publication


def _key(table: str, catalogue: Catalogue) -> dg.AssetKey:
    layer, name = table.split(".")
    return dg.AssetKey([layer, name]) if layer == BI else table_key(catalogue.tables[name])
