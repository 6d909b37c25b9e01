"""GCP prices at month ends, 2022 to 2026, three regions: on-demand, spot, commitments of 12 and 36 months."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import machine_observation, package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/gcp_gpu_prices_monthly.csv"
_MONTH_END_DAYS = 35

SOURCE = Source(
    title="GCP prices at month ends, 2022-02 to 2026-07",
    homepage="https://github.com/Cyclenerd/google-cloud-pricing-cost-calculator",
    licence="Apache-2.0",
    semantics="change",
    precedence=510,
    published_on=date(2026, 7, 30),
    staleness_days=dict.fromkeys(("on_demand", "spot", "commitment"), _MONTH_END_DAYS),
)
_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "instance_type": pl.String,
    "gpu_as_named": pl.String,
    "gpu_count": pl.Float64,
    "purchase_option": pl.String,
    "commitment_months": pl.Int64,
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
    """One row per change, as seen at month ends. A commitment of 0 months is none, and becomes NULL."""
    return (
        read_csv(content, _FILE, _SCHEMA)
        .rename({"source": "source_detail", "readings": "reading_count", "gpu_count": "gpu_count_stated"})
        .with_columns(pl.col("commitment_months").replace(0, None))
    )


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation."""
    return machine_observation(raw, SOURCE)
