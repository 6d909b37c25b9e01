"""Assets of the raw, staging and mart tables, generated from contracts and models."""

import inspect
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract, ContractError
from pipelines.catalogue.models import AS_OF, FEED_PREFIX, HISTORY, Model, rounded
from pipelines.defs.ingest import snapshot_key
from pipelines.history.intake import Intake, StepTaken
from pipelines.history.tables import write_table
from pipelines.ingest.parse import RawTable, read_source, unite_feed
from pipelines.ingest.registry import SourceModule, sharing
from pipelines.quality.results import CheckError, Kind, RuleResult, as_check_results, merged
from pipelines.quality.row_rules import check_rows
from pipelines.quality.source_rules import PARTIAL_RULES, not_suddenly_empty, unusable_snapshot
from pipelines.quality.table_rules import check_table
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")
CHECK_NAME = "contract"


def table_key(contract: Contract) -> dg.AssetKey:
    """Key of a table: layer, then name."""
    return dg.AssetKey([contract.layer, contract.name])


def build_raw_assets(catalogue: Catalogue, modules: dict[str, SourceModule]) -> list[dg.AssetsDefinition]:
    """One asset per raw table: the good snapshots of its sources. A raw check never blocks."""
    return [_raw_asset(contract, sharing(modules.values(), contract.name), catalogue) for contract in catalogue.layer("raw")]


def build_model_assets(catalogue: Catalogue, models: dict[str, Model]) -> list[dg.AssetsDefinition]:
    """One asset per model, with its checks inside: schema, row rules, quarantine, table rules, then the write."""
    return [_model_asset(model, catalogue) for model in models.values()]


def _common(contract: Contract, kind: str) -> dict[str, Any]:
    return {
        "key": table_key(contract),
        "group_name": contract.layer,
        "description": contract.description,
        "kinds": {kind, "duckdb"},
        "owners": ["team:breakeven"],
        "io_manager_key": "warehouse",
        # Left to itself, Dagster takes a MaterializeResult for nothing at all.
        "dagster_type": dg.Any,
        "required_resource_keys": {"session"},
        "metadata": {"dagster/column_schema": contract.dagster_schema(), "grain": ", ".join(contract.grain)},
        "freshness_policy": dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)),
    }


def _raw_asset(contract: Contract, modules: list[SourceModule], catalogue: Catalogue) -> dg.AssetsDefinition:
    check = dg.AssetCheckSpec(CHECK_NAME, asset=table_key(contract), description="Parser and raw rules; never blocks.")

    def raw(context: dg.AssetExecutionContext) -> Any:
        session: RefreshSession = context.resources.session
        frames, results = [pl.DataFrame(schema=contract.polars_schema())], []
        statuses: dict[str, str] = {}
        bad = 0
        for module in modules:
            table = read_source(module, contract, catalogue, session.store, session.as_of)
            statuses[module.name], detail = _status_of(table, module, session)
            session.ops.append("source_status", [_status_row(table, contract, module, session, statuses[module.name], detail)])
            found = [*table.results, *(unusable_snapshot(why) for _, why in table.rejections[-1:])]
            results.append([replace(r, detail=f"{module.name}: {r.detail}") for r in found] if module.shares_table else found)
            # A row is put aside once: by the refresh that fetched it.
            if table.last_good is not None and table.last_good.run_id == session.run_id:
                _record_quarantine(session, contract, table.quarantined, bad)
                bad += table.quarantined.height
            for _, why in table.rejections[-1:]:
                log.warning("source %-28s snapshot not used: %s", module.name, why)
            if contract.bundled and not table.used:
                # A curated table is ours: what is wrong in it is mended here, and nothing is computed from the lack of it.
                raise CheckError(f"{contract.table}: {'; '.join(why for _, why in table.rejections) or 'never ingested'}")
            frames.append(table.frame)
        verdicts = merged(results)
        record_results(session, contract.table, verdicts)
        frame = pl.concat(frames)
        return dg.MaterializeResult(
            value=frame,
            metadata={"dagster/row_count": frame.height, **{f"status of {name}": status for name, status in statuses.items()}},
            check_results=[check_result(table_key(contract), CHECK_NAME, verdicts)],
        )

    # Dagster would take the annotation for the type of the output.
    raw.__annotations__ = {}
    deps = [snapshot_key(module.name) for module in modules]
    asset: dg.AssetsDefinition = dg.asset(**_common(contract, "python"), deps=deps, check_specs=[check])(raw)
    return asset


def _status_of(table: RawTable, module: SourceModule, session: RefreshSession) -> tuple[str, str | None]:
    outcome = next((r for r in reversed(session.ops.rows("fetch_outcome")) if r["source"] == module.name), None)
    fetched = outcome["status"] if outcome else "not_tried"
    detail = outcome["detail"] if outcome else "this run fetched nothing"
    own = [why for fetch, why in table.rejections if fetch.run_id == session.run_id]
    bundled_rejected = [why for _, why in table.rejections] if fetched == "ok" and not table.used else []
    if own or bundled_rejected:
        return ("stale" if table.used else "failed"), (own or bundled_rejected)[-1]
    if fetched == "failed" and table.used:
        return "stale", detail
    lacking = [r.detail for r in table.results if r.rule in PARTIAL_RULES and not r.passed]
    if fetched == "ok" and lacking:
        return "partial", lacking[0]
    return fetched, detail


def _status_row(
    table: RawTable, contract: Contract, module: SourceModule, session: RefreshSession, status: str, detail: str | None
) -> dict[str, Any]:
    outcome: dict[str, Any] = next((r for r in reversed(session.ops.rows("fetch_outcome")) if r["source"] == module.name), {})
    return {
        "source": module.name,
        "status": status,
        "detail": detail,
        "is_bundled": module.source.is_bundled,
        "last_good_fetch_at": table.last_good.fetched_at if table.last_good else None,
        "newest_figure_on": table.newest_figure_on(contract, session.as_of),
        "row_count": table.frame.height,
        **{k: outcome.get(k) for k in ("fetch_seconds", "payload_count", "byte_count")},
    }


def _model_asset(model: Model, catalogue: Catalogue) -> dg.AssetsDefinition:
    contract = model.contract
    tables = [catalogue.tables[name] for name in model.inputs]
    check = dg.AssetCheckSpec(
        CHECK_NAME, asset=table_key(contract), blocking=True, description="Every rule of the contract; critical ones block."
    )

    def compute(context: dg.AssetExecutionContext, **frames: pl.LazyFrame) -> dg.MaterializeResult[pl.DataFrame | Path]:
        session: RefreshSession = context.resources.session
        started = time.monotonic()
        make = _take_in if model.is_taken_in else _make_in_parts if model.is_in_parts else _make_whole
        made = make(model, frames, catalogue, session)
        results = [*made.results, *_suddenly_empty(contract, made.rows, session)]
        record_results(session, contract.table, results)
        blocking = [r for r in results if r.blocks]
        for result in blocking:
            log.error("check %s %s failed: %s", contract.table, result.rule, result.detail)
        quarantined = f", {made.quarantined:,} quarantined" if made.quarantined else ""
        log.info("table  %-28s %9s rows%s  %.1f s", contract.table, f"{made.rows:,}", quarantined, time.monotonic() - started)
        return dg.MaterializeResult(
            value=made.table,
            metadata={
                "dagster/row_count": made.rows,
                "quarantined_rows": made.quarantined,
                "dagster/column_lineage": _lineage(contract, tables),
            },
            check_results=[check_result(table_key(contract), CHECK_NAME, results)],
        )

    # Dagster reads the inputs from a positional signature.
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("context", *model.inputs)]
    compute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    compute.__annotations__ = {}
    compute.__name__ = contract.name
    asset: dg.AssetsDefinition = dg.asset(
        **_common(contract, "polars" if model.function else "sql"),
        ins={table.name: dg.AssetIn(key=table_key(table)) for table in tables},
        check_specs=[check],
    )(_recorded(compute, contract))
    return asset


def _recorded(compute: Callable[..., Any], contract: Contract) -> Callable[..., Any]:
    """Write into the ops record why a table could not be computed at all, then let the error stop the run."""

    def wrapped(context: dg.AssetExecutionContext, **frames: pl.LazyFrame) -> Any:
        try:
            return compute(context, **frames)
        except (ContractError, CheckError, pl.exceptions.PolarsError) as error:
            kind: Kind = "schema" if isinstance(error, ContractError) else "error"
            record_results(context.resources.session, contract.table, [RuleResult(kind, kind, "critical", False, 1, 0, str(error))])
            log.error("table  %s: %s", contract.table, error)
            raise

    wrapped.__signature__ = compute.__signature__  # type: ignore[attr-defined]
    wrapped.__annotations__ = {}
    wrapped.__name__ = compute.__name__
    return wrapped


@dataclass(frozen=True)
class _Made:
    """A table as the IO manager takes it, its rows, the number of those in quarantine, and all verdicts."""

    table: pl.DataFrame | Path
    rows: int
    quarantined: int
    results: list[RuleResult]


def _make_whole(model: Model, inputs: dict[str, pl.LazyFrame], catalogue: Catalogue, session: RefreshSession) -> _Made:
    contract = model.contract
    frame = _computed(model, inputs, catalogue, session)
    contract.conform(frame)
    checked = check_rows(contract, frame, may_quarantine=contract.layer == "staging")
    _record_quarantine(session, contract, checked.quarantined)
    return _Made(checked.good, checked.good.height, checked.quarantined.height, [*checked.results, *check_table(contract, checked.good)])


def _take_in(model: Model, inputs: dict[str, pl.LazyFrame], catalogue: Catalogue, session: RefreshSession) -> _Made:
    intake = Intake(session.store, catalogue, session.modules, model, inputs)
    bad = 0

    def admit(new: pl.DataFrame, quarantined: pl.DataFrame) -> list[RuleResult]:
        # On record before the history goes on: after a kill it would not come to these rows again.
        nonlocal bad
        _record_quarantine(session, model.contract, quarantined, bad)
        bad += quarantined.height
        return check_table(model.contract, new)

    def report(taken: StepTaken) -> None:
        for line in taken.rejected:
            log.warning("history %s: not used: %s", taken.as_of, line)
        if taken.as_of < session.as_of:
            log.info("history %s taken in", taken.as_of)

    with session.growing_history() as (history, pending):
        taken = intake.take_in(history, pending, admit, report)
    return _Made(taken.good, taken.good.height, bad, taken.results)


def _make_in_parts(model: Model, inputs: dict[str, pl.LazyFrame], _: Catalogue, session: RefreshSession) -> _Made:
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
    if contract.layer != "marts" or height or manifest is None or manifest["as_of"] > session.as_of.isoformat():
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


def _record_quarantine(session: RefreshSession, contract: Contract, rows: pl.DataFrame, first_number: int = 0) -> None:
    numbered = enumerate(rows.iter_rows(named=True), first_number)
    session.ops.append("quarantine", ({"table_name": contract.table, "quarantine_number": number, **row} for number, row in numbered))


def record_results(session: RefreshSession, table: str, results: list[RuleResult]) -> None:
    """Append verdicts about a table to ops.check_results."""
    session.ops.append("check_results", as_check_results(table, results))


def check_result(key: dg.AssetKey, name: str, results: list[RuleResult]) -> dg.AssetCheckResult:
    """Verdicts as Dagster's one result of a check: an error where one blocks, else a warning."""
    failed = [r for r in results if not r.passed]
    blocks = any(r.blocks for r in failed)
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={"rules": len(results), **{f"{r.kind}/{r.rule}": r.detail for r in failed}},
    )
