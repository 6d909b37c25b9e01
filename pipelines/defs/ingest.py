"""One multi-asset that fetches all sources side by side (steps of an in-process run come one after the other)."""

import dataclasses
import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.ingest.fetch import FetchOutcome, fetch_all
from pipelines.ingest.registry import SourceModule
from pipelines.refresh.lifecycle import is_unchanged, record_unchanged
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")


def snapshot_key(name: str) -> dg.AssetKey:
    """Key of a source's stored responses."""
    return dg.AssetKey(["snapshots", name])


def build_ingest(modules: dict[str, SourceModule]) -> dg.AssetsDefinition:
    """The asset that fetches; it gives nothing where the refresh would publish what is published already."""
    specs = [
        dg.AssetSpec(
            snapshot_key(name),
            group_name="snapshots",
            skippable=True,
            description=f"Stored responses: {module.source.title}",
            kinds={"file"} if module.source.is_bundled else {"http"},
            metadata={"licence": module.source.licence, "semantics": module.source.semantics},
        )
        for name, module in modules.items()
    ]

    @dg.multi_asset(specs=specs, can_subset=True, name="ingest")
    def ingest(context: dg.AssetExecutionContext, session: dg.ResourceParam[RefreshSession]) -> Iterator[dg.MaterializeResult[Any]]:
        def report(outcome: FetchOutcome) -> None:
            session.ops.append("fetch_outcome", [dataclasses.asdict(outcome)])
            if outcome.status not in ("ok", "not_tried") or not modules[outcome.source].source.is_bundled:
                log.info("source %-28s %s%s", outcome.source, outcome.status, f": {outcome.detail}" if outcome.detail else "")

        chosen = {name: m for name, m in modules.items() if snapshot_key(name) in context.selected_asset_keys}
        outcomes = fetch_all(
            chosen,
            session.store,
            session.settings,
            session.environment,
            session.as_of,
            session.run_id,
            offline=session.offline,
            only_source=session.only_source,
            report=report,
        )
        if is_unchanged(session):
            record_unchanged(session)
            log.info("nothing changed since the published version; the build is skipped (--rebuild forces it)")
            return
        for outcome in outcomes:
            facts = {k: v for k, v in dataclasses.asdict(outcome).items() if v is not None and k != "source"}
            yield dg.MaterializeResult(asset_key=snapshot_key(outcome.source), metadata=facts)

    return ingest
