"""Prices of specialised and European clouds, 2024 to 2026, each with the seller's own page or service that it was read from.

Belongs here: the file as it ships. Does not belong here: readings by others of many sellers (`archive_market_2026`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import machine_observation, package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/neocloud_and_eu_prices_2026.csv"

SOURCE = Source(
    title="Specialised and European clouds, 2024-04 to 2026-10",
    homepage="",
    licence="as stated on each row",
    semantics="change",
    precedence=520,
    published_on=date(2026, 10, 7),
)
_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "sku": pl.String,
    "gpu_as_named": pl.String,
    "gpu_count_stated": pl.Float64,
    "gpu_memory_gib_stated": pl.Float64,
    "purchase_option": pl.String,
    "commitment_months": pl.Int64,
    "trust_tier": pl.String,
    "native_amount": pl.String,
    "currency": pl.String,
    "price_unit": pl.String,
    "first_seen_on": pl.Date,
    "last_confirmed_on": pl.Date,
    "source_url": pl.String,
    "source_detail": pl.String,
    "licence": pl.String,
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per change, with the days on which it was read first and last. A price per GPU without a machine has no number of GPUs."""
    return read_csv(content, _FILE, _SCHEMA)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation. What is sold by the machine is a machine type; a price per GPU names none."""
    is_machine = pl.col("price_unit").str.starts_with("instance_")
    return machine_observation(raw.with_columns(instance_type=pl.when(is_machine).then("sku")), SOURCE)
