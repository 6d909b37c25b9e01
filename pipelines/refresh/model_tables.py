"""A computed table: its model run, its rows and the whole judged, recorded and written.

Belongs here: one staging or mart table of a session, whole, part by part, or batch by batch. Does not belong here: models,
rules (`pipelines.quality`), the history's own steps (`pipelines.history`), Dagster (`pipelines.defs`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Contract, ContractError
from pipelines.catalogue.models import AS_OF, FEED_PREFIX, HISTORY, Model, as_written
from pipelines.history.materialize import of_month, partitions
from pipelines.history.views import HistoryViews
from pipelines.ingest.parse import unite_feed
from pipelines.platform.text import fit_to_show
from pipelines.publication.parts import WHOLE, Part
from pipelines.quality.failing_rows import computed_without_failing_rows, put_aside
from pipelines.quality.quarantine import released_keys
from pipelines.quality.results import CheckError, Kind, RuleResult
from pipelines.quality.row_rules import Checked, check_rows
from pipelines.quality.source_rules import not_suddenly_empty
from pipelines.quality.table_rules import check_table
from pipelines.refresh.kept_marts import kept_mart, why_not_made
from pipelines.refresh.month_parts import PlannedPart, planned
from pipelines.refresh.price_ingestion import ingest_prices
from pipelines.refresh.record import record_quarantine, record_results
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")

_LONGEST_ERROR = 1_000


@dataclass(frozen=True)
class ModelBuilt:
    """A table as a frame or the Parquet files that hold it, its rows, the number of those in quarantine, and all verdicts."""

    table: pl.DataFrame | list[Part]
    rows: int
    quarantined: int
    results: list[RuleResult]


def build_model_table(model: Model, session: RefreshSession) -> ModelBuilt:
    """Compute, check, record and write one table; a mart that cannot be computed keeps what is published.

    Raises ContractError, CheckError, PolarsError, each of which is on record then.
    """
    with _failure_recorded(session, model.contract):
        why = why_not_made(model.inputs, session.kept)
        if why is not None:
            return _keep(model.contract, session, CheckError(f"{model.contract.table}: {why}"), why)
        inputs = {name: session.warehouse.read(session.catalogue.tables[name]) for name in model.inputs}
        try:
            made = _made(model, inputs, session)
        except ContractError:
            raise
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  (a fault of one mart is its own)
            return _keep(model.contract, session, error, f"{type(error).__name__}: {error}")
        return _written(model.contract, made, session)


def _keep(contract: Contract, session: RefreshSession, error: BaseException, reason: str) -> ModelBuilt:
    """The published content of a mart in the place of what could not be made. Raises `error` where nothing is published of it."""
    kept = kept_mart(contract, session.published, session.as_of, reason)
    if kept is None:
        raise error
    session.warehouse.attach_parquet(contract, [part.file for part in kept.parts])
    session.kept[contract.name] = kept
    verdict = kept.verdict()
    record_results(session, contract.table, [verdict])
    log.error("table  %s: %s", contract.table, verdict.detail)
    log.debug("where  %s", contract.table, exc_info=error)
    return ModelBuilt(kept.parts, kept.rows, 0, [verdict])


@contextmanager
def _failure_recorded(session: RefreshSession, contract: Contract) -> Iterator[None]:
    """Write into the ops record why a table could not be computed at all, then let the error stop the run."""
    try:
        yield
    except (ContractError, CheckError, pl.exceptions.PolarsError) as error:
        kind: Kind = "schema" if isinstance(error, ContractError) else "error"
        said = fit_to_show(str(error), _LONGEST_ERROR)
        record_results(session, contract.table, [RuleResult(kind, kind, "critical", False, 1, 0, said)])
        log.error("table  %s: %s", contract.table, said)
        log.debug("where  %s", contract.table, exc_info=error)
        raise
    except Exception as error:
        log.debug("where  %s", contract.table, exc_info=error)
        raise


def _made(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> ModelBuilt:
    contract, started = model.contract, time.monotonic()
    make = _ingest if model.is_incremental else _make_in_parts if model.is_in_parts else _make_whole
    made = make(model, inputs, session)
    quarantined = f", {made.quarantined:,} quarantined" if made.quarantined else ""
    log.info("table  %-28s %9s rows%s  %.1f s", contract.table, f"{made.rows:,}", quarantined, time.monotonic() - started)
    return replace(made, results=[*made.results, *_suddenly_empty(contract, made.rows, session)])


def _written(contract: Contract, made: ModelBuilt, session: RefreshSession) -> ModelBuilt:
    record_results(session, contract.table, made.results)
    for result in made.results:
        if result.blocks:
            log.error("check %s %s failed: %s", contract.table, result.rule, result.detail)
    if isinstance(made.table, list):
        session.parts[contract.name] = made.table
        session.warehouse.attach_parquet(contract, [part.file for part in made.table])
    else:
        session.warehouse.write(contract, made.table)
    return made


def _make_whole(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> ModelBuilt:
    contract = model.contract
    checked = _checked(model, inputs, session)
    record_quarantine(session, contract, checked.quarantined)
    before = _published_before(contract, session)
    results = [*checked.results, *check_table(contract, checked.good, before[0] if before else None)]
    return ModelBuilt(checked.good, checked.good.height, checked.quarantined.height, results)


def _checked(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> Checked:
    """The rows of a table, judged. Rows of a feed on which the model fails are in quarantine, and the others computed without them."""
    contract = model.contract
    released = released_keys(session.decisions, contract.table)

    def judged(given: dict[str, pl.LazyFrame]) -> Checked:
        frame = _computed(model, inputs, session, given)
        contract.conform(frame)
        return check_rows(contract, frame, may_quarantine=contract.layer == "staging", released=released)

    feeds = [parameter for parameter in model.parameters if parameter.startswith(FEED_PREFIX)]
    try:
        return judged({})
    except (CheckError, pl.exceptions.PolarsError):
        if contract.layer != "staging" or len(feeds) != 1:
            raise
    [feed] = feeds
    fed = _fed(feed, inputs, session).collect()
    computed = computed_without_failing_rows(fed, lambda rows: judged({feed: rows.lazy()}).good)
    verdicts, aside = put_aside(contract, computed)
    checked = judged({feed: computed.rows.lazy()})
    return replace(checked, quarantined=pl.concat([checked.quarantined, aside]), results=[*checked.results, *verdicts])


def _ingest(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> ModelBuilt:
    made = ingest_prices(session, model, inputs)
    return ModelBuilt(made.good, made.good.height, made.quarantined, made.results)


def _make_in_parts(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> ModelBuilt:
    contract, store = model.contract, session.part_store(model.contract)
    if model.is_partitioned:
        with session.history() as history:
            made = store.made(_planned_of_history(model, history, inputs, session.run_id))
    else:
        made = store.made(planned(model.month_parts(**_arguments(model, inputs, session))))
    nothing = pl.DataFrame(schema=contract.polars_schema())
    return ModelBuilt(nothing if made.blocks else made.parts, sum(part.rows for part in made.parts), 0, made.results)


def _planned_of_history(model: Model, history: HistoryViews, inputs: dict[str, pl.LazyFrame], run_id: str) -> Iterator[PlannedPart]:
    if model.is_by_month:
        for month in history.window_months():
            yield PlannedPart(f"{month.first:%Y-%m}", month.content_hash, partial(of_month, model, history, month))
    else:
        # Each run adds to intervals of any time.
        yield PlannedPart(WHOLE, run_id, partial(partitions, model, history, inputs))


def _arguments(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> dict[str, Any]:
    """What the function of a model is called with, but for the history, which is open only for a while."""
    arguments: dict[str, Any] = {}
    for parameter in model.parameters:
        if parameter == AS_OF:
            arguments[parameter] = session.as_of
        elif parameter.startswith(FEED_PREFIX):
            arguments[parameter] = _fed(parameter, inputs, session)
        elif parameter != HISTORY:
            arguments[parameter] = inputs[parameter]
    return arguments


def _fed(parameter: str, inputs: dict[str, pl.LazyFrame], session: RefreshSession) -> pl.LazyFrame:
    feed = parameter.removeprefix(FEED_PREFIX)
    fed = {c.name: inputs[c.name] for c in session.catalogue.fed_by(feed)}
    return unite_feed(feed, fed, session.modules, session.catalogue)


def _computed(model: Model, inputs: dict[str, pl.LazyFrame], session: RefreshSession, given: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """The frame of a model; what is `given` stands in the place of an input."""
    if model.sql is not None:
        return session.warehouse.select(model.sql, session.as_of)
    assert model.function is not None
    with ExitStack() as stack:
        arguments = _arguments(model, inputs, session) | given
        if HISTORY in model.parameters:
            arguments[HISTORY] = stack.enter_context(session.history())
        frame = model.function(**arguments)
    return as_written(frame, model.contract) if model.contract.layer == "marts" else frame


def _suddenly_empty(contract: Contract, height: int, session: RefreshSession) -> list[RuleResult]:
    """A mart may be empty on a day before its first figure, but not where the published version of an earlier day has rows."""
    may_be_empty = contract.layer != "marts" or contract.may_become_empty
    before = None if may_be_empty or height else _published_before(contract, session)
    return [] if before is None else [not_suddenly_empty(height, *before)]


def _published_before(contract: Contract, session: RefreshSession) -> tuple[int, str] | None:
    """Rows of a mart in the version that is published, and its day; None where that is of a later day, or has no such table."""
    manifest = session.published.manifest()
    if manifest is None or contract.table not in manifest["tables"] or manifest["as_of"] > session.as_of.isoformat():
        return None
    return manifest["tables"][contract.table]["rows"], manifest["as_of"]
