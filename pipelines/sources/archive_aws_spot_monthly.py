"""Monthly means of AWS spot prices, 2022-12 to 2024-04: statistics of their month, never prices in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/aws_gpu_spot_monthly.csv"

SOURCE = Source(
    title="AWS spot, means by month, 2022-12 to 2024-04",
    homepage="https://github.com/skypilot-org/skypilot-catalog",
    licence="figures; repository without licence",
    semantics="period_mean",
    precedence=900,
    published_on=date(2024, 4, 30),
)
_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "instance_type": pl.String,
    "gpu_as_named": pl.String,
    "gpu_count": pl.Float64,
    "month": pl.Date,
    "spot_mean_usd_per_hour": pl.String,
    "spot_min_usd_per_hour": pl.String,
    "spot_max_usd_per_hour": pl.String,
    "on_demand_usd_per_hour": pl.String,
    "zones": pl.Int64,
    "readings": pl.Int64,
    "source": pl.String,
    "licence": pl.String,
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per machine type, region and month."""
    return read_csv(content, _FILE, _SCHEMA).rename(
        {
            "source": "source_detail",
            "readings": "reading_count",
            "zones": "zone_count",
            "gpu_count": "gpu_count_stated",
            "month": "month_on",
        }
    )
