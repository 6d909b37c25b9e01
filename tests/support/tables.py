"""Tables as a refresh would hand them on: what ships, what a parser gave, one model's function."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Callable
from types import ModuleType

import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import parse_curated
from pipelines.platform.paths import MODELS_FOLDER, PACKAGE_FOLDER

AT = dt.datetime(2026, 11, 23, 6)
# What the model of staging.price_observation reads of what ships.
PRICE_REFERENCES = (
    "reference_gpu",
    "reference_gpu_alias_rule",
    "reference_gpu_price_band",
    "reference_price_correction",
    "reference_instance_gpu",
    "reference_region_country",
)


def curated(name: str) -> pl.LazyFrame:
    """A curated table that ships, such as `reference_gpu`."""
    contract = catalogue().tables[name]
    return parse_curated((PACKAGE_FOLDER / str(contract.bundled)).read_bytes(), contract).lazy()


def with_lineage(parsed: pl.DataFrame, fetched_at: dt.datetime = AT, sha256: str = "0" * 64) -> pl.LazyFrame:
    """What a parser gave, as its raw table: with the two columns of lineage."""
    return parsed.lazy().with_columns(fetched_at=pl.lit(fetched_at, dtype=pl.Datetime("us")), snapshot_sha256=pl.lit(sha256))


def model(layer: str, name: str) -> Callable[..., pl.LazyFrame]:
    """The function of one model alone, whatever state the others are in."""
    function: Callable[..., pl.LazyFrame] = getattr(module_of(layer, name), name)
    return function


def module_of(layer: str, name: str) -> ModuleType:
    """The module of one model, with the functions that it is made of."""
    spec = importlib.util.spec_from_file_location(name, MODELS_FOLDER / layer / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
