"""The tables that are computed: polars functions and SQL selects that stand beside their contracts.

Belongs here: loading them, reading their inputs from parameter names or from the SQL, and proving that the graph is sound. Does not
belong here: running them against a database (`warehouse`), checks (`quality`), Dagster (`defs`).
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import sqlglot
from sqlglot import exp

from pipelines.catalogue.contracts import Catalogue, Contract, ContractError
from pipelines.catalogue.contracts import catalogue as project_catalogue
from pipelines.platform.paths import MODELS_FOLDER

_SIGNIFICANT_DIGITS = 12
AS_OF = "as_of"
FEED_PREFIX = "all_"
# Views of the price history after it ingested `staging.price_observation`; `partition`: of which series, by the beginning of their ids;
# `month`: the first day of the month of the rows.
HISTORY, PARTITION, MONTH = "history", "partition", "month"
# Observations that are known already: what the rows of an incremental model are validated against.
REFERENCE_OBSERVATIONS = "reference_observations"
INGESTED = "price_observation"
# A table may read from its own layer and the ones before it.
_MAY_READ = {"staging": ("raw", "staging"), "marts": ("raw", "staging", "marts")}


@dataclass(frozen=True)
class Model:
    """One computed table: either a polars `function` or a `sql` select. `inputs` are table names, without `as_of`.

    `history` among the parameters stands for the table that the history ingests.
    """

    contract: Contract
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    function: Callable[..., pl.LazyFrame] | None
    sql: str | None

    @property
    def name(self) -> str:
        """Bare table name."""
        return self.contract.name

    @property
    def is_partitioned(self) -> bool:
        """True for a table whose parts are partitions of the series."""
        return PARTITION in self.parameters

    @property
    def is_by_month(self) -> bool:
        """True for a table that is computed, checked, kept and published a month at a time."""
        return MONTH in self.parameters or inspect.isgeneratorfunction(self.function)

    @property
    def is_in_parts(self) -> bool:
        """True for a table that is too large to be held whole: computed, checked and written a part at a time."""
        return self.is_partitioned or self.is_by_month

    def month_parts(self, **arguments: Any) -> Iterator[Any]:
        """The parts of a table whose function yields them, in the order of their months: `pipelines.costing.days.MonthParts`."""
        assert inspect.isgeneratorfunction(self.function)
        return self.function(**arguments)

    @property
    def is_incremental(self) -> bool:
        """True for the table that the history ingests: its rows are those that are new."""
        return REFERENCE_OBSERVATIONS in self.parameters


def load_models(catalogue: Catalogue, folder: Path = MODELS_FOLDER) -> dict[str, Model]:
    """All models by table name, in an order in which they can be computed.

    Raises ContractError for a contract without a model, a model without a contract, a name that differs from its file, an unknown
    input and a cycle.
    """
    models = {}
    for layer in ("staging", "marts"):
        for path in sorted([*(folder / layer).glob("*.py"), *(folder / layer).glob("*.sql")]):
            contract = catalogue.tables.get(path.stem)
            where = f"{layer}/{path.name}"
            if contract is None or contract.layer != layer:
                raise ContractError(f"{where}: no contract {layer}/{path.stem}.yml beside it")
            if path.stem in models:
                raise ContractError(f"{where}: {path.stem} has two models")
            models[path.stem] = _polars_model(path, contract, catalogue) if path.suffix == ".py" else _sql_model(path, contract)
            if models[path.stem].is_in_parts and contract.table_rules:
                raise ContractError(f"{where}: key table_rules: this table is judged a part at a time, so no rule sees the whole of it")
        for contract in catalogue.layer(layer):
            if contract.name not in models:
                raise ContractError(f"{layer}/{contract.name}.yml: no model {contract.name}.py or {contract.name}.sql beside it")
    for model in models.values():
        for name in model.inputs:
            table = catalogue.tables.get(name)
            if table is None or table.layer not in _MAY_READ[model.contract.layer]:
                raise ContractError(f"{model.contract.table}: input {name!r} is not a raw, staging or mart table")
    try:
        order = list(TopologicalSorter({name: set(model.inputs) for name, model in models.items()}).static_order())
    except CycleError as error:
        raise ContractError("models read each other in a circle: " + " -> ".join(error.args[1])) from error
    return {name: models[name] for name in order if name in models}


@cache
def models() -> dict[str, Model]:
    """The project's own models, loaded once."""
    return load_models(project_catalogue())


def as_written(mart: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """A mart as it is written: its figures rounded, and the products that its contract declares.

    The last bits of a quotient depend on how rows fell into chunks, and no figure is known to twelve digits. Those of a product of two
    rounded figures do not: whoever multiplies them again gets the same.
    """
    figures = mart.with_columns(cs.float().round_sig_figs(_SIGNIFICANT_DIGITS))
    if not contract.products:
        return figures
    whole = figures.with_columns(**{name: pl.col(first) * pl.col(second) for name, (first, second) in contract.products.items()})
    found = whole.collect_schema().names()
    # What does not belong in the table, or is missing, is left for the contract to say.
    return whole.select([*(name for name in contract.column_names if name in found), *(n for n in found if n not in contract.column_names)])


def _polars_model(path: Path, contract: Contract, catalogue: Catalogue) -> Model:
    where = f"{path.parent.name}/{path.name}"
    spec = importlib.util.spec_from_file_location(f"dbt_like_models.{contract.layer}.{contract.name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, contract.name, None)
    if not inspect.isfunction(function):
        named = [n for n, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == spec.name]
        raise ContractError(f"{where}: expected a function {contract.name!r}, found {sorted(named)}")
    parameters = tuple(inspect.signature(function).parameters)
    return Model(contract, _table_inputs(parameters, where, catalogue), parameters, function, None)


def _table_inputs(parameters: tuple[str, ...], where: str, catalogue: Catalogue) -> tuple[str, ...]:
    inputs: list[str] = []
    for parameter in parameters:
        if parameter.startswith(FEED_PREFIX):
            feed = parameter.removeprefix(FEED_PREFIX)
            if feed not in catalogue.feeds:
                raise ContractError(f"{where}: input {parameter!r}: there is no feed {feed!r}")
            inputs += [c.name for c in catalogue.fed_by(feed)]
        elif parameter == HISTORY:
            inputs.append(INGESTED)
        elif parameter not in (AS_OF, REFERENCE_OBSERVATIONS, PARTITION, MONTH):
            inputs.append(parameter)
    return tuple(dict.fromkeys(inputs))


def _sql_model(path: Path, contract: Contract) -> Model:
    where, text = f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8")
    return Model(contract, tuple(t.name for t in tables_read(parsed_query(text, where), where)), (), None, text)


def parsed_query(sql: str, where: str) -> exp.Query:
    """A single SELECT as a tree. Raises ContractError for anything else."""
    try:
        statements = [s for s in sqlglot.parse(sql, dialect="duckdb") if s is not None]
    except sqlglot.errors.ParseError as error:
        raise ContractError(f"{where}: not readable as SQL: {error}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ContractError(f"{where}: expected one SELECT")
    return statements[0]


def tables_read(query: exp.Query, where: str) -> list[exp.Table]:
    """Tables that a SELECT reads, each with its schema. Raises ContractError for one without."""
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    found: dict[str, exp.Table] = {}
    for table in query.find_all(exp.Table):
        if table.name in ctes and not table.db:
            continue
        if isinstance(table.this, exp.Func):
            continue
        if not table.db:
            raise ContractError(f"{where}: table {table.name!r} is named without its schema")
        found.setdefault(table.name, table)
    return list(found.values())
