"""Assets of the raw, staging and mart tables, generated from contracts and models."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract, ContractError
from pipelines.catalogue.models import AS_OF, FEED_PREFIX, HISTORY, Model, rounded
from pipelines.defs.checks import check_specs, rule_checks, rule_results, source_state_result, source_state_spec
from pipelines.defs.ingest import snapshot_key
from pipelines.history.materialize import write_table
from pipelines.ingest.parse import unite_feed
from pipelines.ingest.registry import SourceModule, sharing
from pipelines.quality.quarantine import released_keys
from pipelines.quality.results import CheckError, Kind, RuleResult
from pipelines.quality.row_rules import check_rows
from pipelines.quality.source_rules import not_suddenly_empty
from pipelines.quality.table_rules import check_table
from pipelines.refresh.price_ingestion import ingest_prices
from pipelines.refresh.raw_tables import build_raw_table
from pipelines.refresh.record import record_quarantine, record_results
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")


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
        with _failure_recorded(session, contract):
            made = _build(model, {t.name: session.warehouse.read(t) for t in inputs}, catalogue, session)
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


@contextmanager
def _failure_recorded(session: RefreshSession, contract: Contract) -> Iterator[None]:
    """Write into the ops record why a table could not be computed at all, then let the error stop the run."""
    try:
        yield
    except (ContractError, CheckError, pl.exceptions.PolarsError) as error:
        kind: Kind = "schema" if isinstance(error, ContractError) else "error"
        record_results(session, contract.table, [RuleResult(kind, kind, "critical", False, 1, 0, str(error))])
        log.error("table  %s: %s", contract.table, error)
        raise


@dataclass(frozen=True)
class _Made:
    """A table as a frame or the Parquet file that holds it, its rows, the number of those in quarantine, and all verdicts."""

    table: pl.DataFrame | Path
    rows: int
    quarantined: int
    results: list[RuleResult]


def _build(model: Model, inputs: dict[str, pl.LazyFrame], catalogue: Catalogue, session: RefreshSession) -> _Made:
    """Compute, check, record and write one table."""
    contract, started = model.contract, time.monotonic()
    make = _ingest if model.is_incremental else _make_partitioned if model.is_partitioned else _make_whole
    made = make(model, inputs, catalogue, session)
    made = replace(made, results=[*made.results, *_suddenly_empty(contract, made.rows, session)])
    record_results(session, contract.table, made.results)
    for result in made.results:
        if result.blocks:
            log.error("check %s %s failed: %s", contract.table, result.rule, result.detail)
    quarantined = f", {made.quarantined:,} quarantined" if made.quarantined else ""
    log.info("table  %-28s %9s rows%s  %.1f s", contract.table, f"{made.rows:,}", quarantined, time.monotonic() - started)
    if isinstance(made.table, Path):
        session.warehouse.show(contract, made.table)
    else:
        session.warehouse.write(contract, made.table)
    return made


def _make_whole(model: Model, inputs: dict[str, pl.LazyFrame], catalogue: Catalogue, session: RefreshSession) -> _Made:
    contract = model.contract
    frame = _computed(model, inputs, catalogue, session)
    contract.conform(frame)
    released = released_keys(session.decisions, contract.table)
    checked = check_rows(contract, frame, may_quarantine=contract.layer == "staging", released=released)
    record_quarantine(session, contract, checked.quarantined)
    return _Made(checked.good, checked.good.height, checked.quarantined.height, [*checked.results, *check_table(contract, checked.good)])


def _ingest(model: Model, inputs: dict[str, pl.LazyFrame], _: Catalogue, session: RefreshSession) -> _Made:
    made = ingest_prices(session, model, inputs)
    return _Made(made.good, made.good.height, made.quarantined, made.results)


def _make_partitioned(model: Model, inputs: dict[str, pl.LazyFrame], _: Catalogue, session: RefreshSession) -> _Made:
    contract = model.contract
    file = session.history_table(model)

    def check(part: pl.DataFrame) -> list[RuleResult]:
        return [*check_rows(contract, part.lazy(), may_quarantine=False).results, *check_table(contract, part)]

    with session.history() as history:
        written = write_table(model, history, inputs, file, check)
    return _Made(pl.DataFrame(schema=contract.polars_schema()) if written.blocks else file, written.rows, 0, written.results)


def _computed(model: Model, inputs: dict[str, pl.LazyFrame], catalogue: Catalogue, session: RefreshSession) -> pl.LazyFrame:
    if model.sql is not None:
        return session.warehouse.select(model.sql, session.as_of)
    assert model.function is not None
    with ExitStack() as stack:
        arguments: dict[str, Any] = {}
        for parameter in model.parameters:
            if parameter == AS_OF:
                arguments[parameter] = session.as_of
            elif parameter == HISTORY:
                arguments[parameter] = stack.enter_context(session.history())
            elif parameter.startswith(FEED_PREFIX):
                feed = parameter.removeprefix(FEED_PREFIX)
                fed = {c.name: inputs[c.name] for c in catalogue.fed_by(feed)}
                arguments[parameter] = unite_feed(feed, fed, session.modules, catalogue)
            else:
                arguments[parameter] = inputs[parameter]
        frame = model.function(**arguments)
    return rounded(frame) if model.contract.layer == "marts" else frame


def _suddenly_empty(contract: Contract, height: int, session: RefreshSession) -> list[RuleResult]:
    """A mart may be empty on a day before its first figure, but not where the published version of an earlier day has rows."""
    manifest = session.published.manifest()
    if (
        contract.layer != "marts"
        or contract.may_become_empty
        or height
        or manifest is None
        or manifest["as_of"] > session.as_of.isoformat()
    ):
        return []
    before = manifest["tables"].get(contract.table, {}).get("rows", 0)
    return [not_suddenly_empty(height, before, manifest["as_of"])]


def _lineage(contract: Contract, inputs: list[Contract]) -> dg.TableColumnLineage:
    # The same quantity has the same name in every table, so a column comes from the inputs' columns of its name.
    return dg.TableColumnLineage(
        deps_by_column={
            column: [dg.TableColumnDep(asset_key=table_key(table), column_name=column) for table in inputs if column in table.column_names]
            for column in contract.column_names
        }
    )
