"""Run `breakeven` with one part of it broken on purpose: python -m tests.faults.run_with FAULT ARGUMENTS...

The faults are applied from outside, so that the program itself has no switch for them.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from pipelines.catalogue import models
from pipelines.cli import main as cli
from pipelines.costing.days import MonthParts, as_given
from pipelines.history import engine
from pipelines.ingest import fetch as ingest
from pipelines.publication import versions, write
from pipelines.quality import table_rules as quality
from pipelines.refresh import warehouse
from pipelines.refresh.month_parts import MonthPart
from pipelines.sources import archive_aws_on_demand, ecb_fx


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(target: Any, name: str) -> Callable[[], None]:
    return lambda: setattr(target, name, die)


def after(target: Any, name: str) -> Callable[[], None]:
    def apply() -> None:
        original = getattr(target, name)

        def patched(*arguments: Any, **named: Any) -> Any:
            original(*arguments, **named)
            die()

        setattr(target, name, patched)

    return apply


def model_gives(name: str, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Callable[[], None]:
    def apply() -> None:
        model = models.models()[name]
        original = model.function
        assert original is not None

        def patched(**inputs: Any) -> pl.LazyFrame:
            return change(original(**inputs))

        def patched_parts(**inputs: Any) -> MonthParts:
            for part in original(**inputs):
                yield part[0], as_given, {"rows": change(MonthPart(*part).rows()).collect()}

        object.__setattr__(model, "function", patched_parts if inspect.isgeneratorfunction(original) else patched)

    return apply


def raises(_frame: pl.LazyFrame) -> pl.LazyFrame:
    raise ValueError("a case that nobody thought of")


def source_gives(module: Any, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[], None]:
    def apply() -> None:
        original = module.parse
        module.parse = lambda content: change(original(content))

    return apply


def parser_raises(module: Any, error: BaseException) -> Callable[[], None]:
    def raises(_content: bytes) -> pl.DataFrame:
        raise error

    return lambda: setattr(module, "parse", raises)


def with_price(text: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    is_victim = (pl.col("instance_type") == "p5.48xlarge") & (pl.col("first_seen_on") == pl.date(2025, 6, 23))
    return lambda frame: frame.with_columns(usd_per_hour=pl.when(is_victim).then(pl.lit(text)).otherwise("usd_per_hour"))


def row_fails(name: str, feed: str, is_victim: pl.Expr) -> Callable[[], None]:
    """The model raises as long as a row of its feed is the victim."""

    def apply() -> None:
        model = models.models()[name]
        original = model.function
        assert original is not None

        def patched(**inputs: Any) -> pl.LazyFrame:
            inputs[feed].select(pl.when(is_victim).then(pl.lit("no number")).cast(pl.Int64)).collect()
            return original(**inputs)

        object.__setattr__(model, "function", patched)

    return apply


def reversed_columns(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.select(reversed(frame.collect_schema().names()))


FAULTS: dict[str, Callable[[], None]] = {
    "kill_in_fetch": before(ingest, "_side_by_side"),
    "kill_in_build": before(warehouse.Warehouse, "write"),
    "kill_before_the_history_takes_a_batch": before(engine.HistoryEngine, "apply"),
    "kill_after_the_history_took_a_batch": after(engine.HistoryEngine, "apply"),
    "kill_in_check": before(quality, "_validate"),
    "kill_while_writing_the_version": after(write, "_write_ops"),
    "kill_between_version_and_link": before(versions.PublishedFolder, "_link"),
    "columns_reordered": model_gives("price_history", reversed_columns),
    "column_missing": model_gives("price_history", lambda f: f.drop("licence")),
    "type_changed": model_gives("price_history", lambda f: f.with_columns(pl.col("usd_per_hour").cast(pl.String))),
    "empty_frame": model_gives("price_history", lambda f: f.filter(pl.lit(False))),
    "duplicate_key": model_gives("price_history", lambda f: pl.concat([f, f.head(1)])),
    "nan_in_a_mart": model_gives("price_history", lambda f: f.with_columns(usd_per_hour=pl.lit(float("nan")))),
    "infinite_in_a_mart": model_gives("price_history", lambda f: f.with_columns(usd_per_hour=pl.lit(float("inf")))),
    "zero_in_a_mart": model_gives("price_history", lambda f: f.with_columns(usd_per_hour=pl.lit(0.0))),
    "age_a_day_too_great": model_gives("cost_per_token", lambda f: f.with_columns(pl.col("price_age_days") + 1)),
    "model_raises": model_gives("rented_price", raises),
    "model_fails_on_its_rows": model_gives("rented_price", lambda f: f.with_columns(seller_count=pl.col("gpu").cast(pl.Int64))),
    "model_in_parts_raises": model_gives("cost_per_token", raises),
    "staging_raises": model_gives("hardware_quote", raises),
    "zero_price": source_gives(archive_aws_on_demand, with_price("0")),
    "nan_price": source_gives(archive_aws_on_demand, with_price("NaN")),
    "infinite_price": source_gives(archive_aws_on_demand, with_price("inf")),
    "price_of_a_term": source_gives(archive_aws_on_demand, with_price("482150.4")),
    "parser_raises": parser_raises(archive_aws_on_demand, KeyError("a field that went away")),
    "parser_gives_other_columns": source_gives(archive_aws_on_demand, lambda f: f.rename({"usd_per_hour": "price"})),
    "parser_gives_another_type": source_gives(archive_aws_on_demand, lambda f: f.with_columns(pl.col("usd_per_hour").cast(pl.Float64))),
    "parser_gives_nothing": source_gives(archive_aws_on_demand, lambda f: f.clear()),
    "parser_gives_nulls": source_gives(archive_aws_on_demand, lambda f: f.with_columns(usd_per_hour=pl.lit(None, dtype=pl.String))),
    "a_token_price_fails": row_fails(
        "token_price_observation", "all_token_price", (pl.col("provider") == "groq") & pl.col("model_as_named").str.contains("gpt-oss-120b")
    ),
    "a_price_fails": row_fails(
        "price_observation",
        "all_observation",
        (pl.col("sku") == "p5.48xlarge") & (pl.col("first_seen_at").dt.date() == pl.date(2025, 6, 23)),
    ),
    "fx_parser_raises": parser_raises(ecb_fx, ValueError("not a rate")),
}


def main(arguments: Sequence[str]) -> int:
    FAULTS[arguments[0]]()
    return cli.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
