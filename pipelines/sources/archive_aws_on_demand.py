"""AWS on-demand changes in us-east-1, 2022 to 2026, from the price tables that Karpenter's AWS provider generates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import machine_observation, package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/aws_gpu_on_demand_us_east_1.csv"

SOURCE = Source(
    title="AWS on-demand changes, us-east-1, 2022-06 to 2026-07",
    homepage="https://github.com/aws/karpenter-provider-aws",
    licence="Apache-2.0",
    semantics="change",
    precedence=500,
    published_on=date(2026, 7, 21),
)
_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "instance_type": pl.String,
    "purchase_option": pl.String,
    "first_seen_on": pl.Date,
    "last_confirmed_on": pl.Date,
    "usd_per_hour": pl.String,
    "readings": pl.Int64,
    "source": pl.String,
    "licence": pl.String,
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per change. `first_seen_on` is when it was seen, not when it took effect."""
    return read_csv(content, _FILE, _SCHEMA).rename({"source": "source_detail", "readings": "reading_count"})


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation."""
    return machine_observation(raw.with_columns(commitment_months=pl.lit(None, dtype=pl.Int64)), SOURCE)
