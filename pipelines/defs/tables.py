"""Assets of the raw, staging and mart tables, generated from contracts and models."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.catalogue.models import Model
from pipelines.defs.checks import check_specs, rule_checks, rule_results, source_state_result, source_state_spec
from pipelines.defs.ingest import snapshot_key
from pipelines.ingest.registry import SourceModule, sharing
from pipelines.quality.results import CheckError
from pipelines.refresh.model_tables import build_model_table
from pipelines.refresh.raw_tables import build_raw_table
from pipelines.refresh.session import RefreshSession


def table_key(contract: Contract) -> dg.AssetKey:
    """Key of a table: layer, then name."""
    return dg.AssetKey([contract.layer, contract.name])


def build_raw_tables(catalogue: Catalogue, modules: dict[str, SourceModule]) -> dg.AssetsDefinition:
    """One step that reads the good snapshots of all sources into their raw tables. No check of a raw table blocks."""
    contracts = {table_key(contract): contract for contract in catalogue.layer("raw")}
    sources = {key: sharing(modules.values(), contract.name) for key, contract in contracts.items()}
    names = {key: rule_checks(contract) for key, contract in contracts.items()}

    @dg.multi_asset(
        name="raw",
        can_subset=True,
        specs=[_spec(c, "python", [snapshot_key(m.name) for m in sources[key]], skippable=True) for key, c in contracts.items()],
        check_specs=[spec for key in contracts for spec in (source_state_spec(key), *check_specs(key, names[key], may_block=False))],
    )
    def raw(context: dg.AssetExecutionContext, session: dg.ResourceParam[RefreshSession]) -> Iterator[dg.MaterializeResult[Any]]:
        unusable = []
        for key, contract in contracts.items():
            if key not in context.selected_asset_keys:
                continue
            made = build_raw_table(contract, sources[key], session)
            unusable += made.unusable
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={"dagster/row_count": made.rows, **{f"status of {name}": status for name, (status, _) in made.states.items()}},
                check_results=[source_state_result(key, made.states), *rule_results(key, names[key], made.results)],
            )
        if unusable:
            raise CheckError("; ".join(unusable))

    return raw


def build_model_assets(catalogue: Catalogue, models: dict[str, Model]) -> list[dg.AssetsDefinition]:
    """One asset per model, with its checks inside: schema, row rules, quarantine, table rules, then the write."""
    return [_model_asset(model, catalogue) for model in models.values()]


def _spec(contract: Contract, kind: str, deps: list[dg.AssetKey], *, skippable: bool = False) -> dg.AssetSpec:
    return dg.AssetSpec(
        table_key(contract),
        deps=deps,
        skippable=skippable,
        group_name=contract.layer,
        description=contract.description,
        kinds={kind, "duckdb"},
        metadata={"dagster/column_schema": contract.dagster_schema(), "grain": ", ".join(contract.grain)},
    )


def _model_asset(model: Model, catalogue: Catalogue) -> dg.AssetsDefinition:
    contract, key = model.contract, table_key(model.contract)
    inputs = [catalogue.tables[name] for name in model.inputs]
    names = rule_checks(contract)

    @dg.multi_asset(
        name=contract.name,
        specs=[_spec(contract, "polars" if model.function else "sql", [table_key(table) for table in inputs])],
        check_specs=check_specs(key, names, may_block=True),
    )
    def table(session: dg.ResourceParam[RefreshSession]) -> Iterator[dg.MaterializeResult[Any]]:
        made = build_model_table(model, session)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "dagster/row_count": made.rows,
                "quarantined_rows": made.quarantined,
                "dagster/column_lineage": _lineage(contract, inputs),
            },
            check_results=rule_results(key, names, made.results),
        )

    return table


def _lineage(contract: Contract, inputs: list[Contract]) -> dg.TableColumnLineage:
    # The same quantity has the same name in every table, so a column comes from the inputs' columns of its name.
    return dg.TableColumnLineage(
        deps_by_column={
            column: [dg.TableColumnDep(asset_key=table_key(table), column_name=column) for table in inputs if column in table.column_names]
            for column in contract.column_names
        }
    )
