"""One multi-asset that fetches all sources side by side (steps of an in-process run come one after the other)."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.ingest.registry import SourceModule
from pipelines.refresh.fetching import fetch_sources
from pipelines.refresh.session import RefreshSession


def snapshot_key(name: str) -> dg.AssetKey:
    """Key of a source's stored responses."""
    return dg.AssetKey(["snapshots", name])


def build_ingest(modules: dict[str, SourceModule]) -> dg.AssetsDefinition:
    """The asset that fetches, where the session has not yet; it gives nothing where the refresh would publish what is published already."""
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
        fetched = session.fetched
        if fetched is None:
            fetched = fetch_sources(session, [name for name in modules if snapshot_key(name) in context.selected_asset_keys])
        for outcome in fetched or []:
            facts = {k: v for k, v in dataclasses.asdict(outcome).items() if v is not None and k != "source"}
            yield dg.MaterializeResult(asset_key=snapshot_key(outcome.source), metadata=facts)

    return ingest
