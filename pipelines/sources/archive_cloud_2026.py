"""Single readings of 2026: AWS us-east-1, Azure eastus, OCI and Crusoe, as three packages shipped them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import machine_observation, package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/cloud_gpu_prices_2026.csv"
# A single spot point says little about the days after it.
_SINGLE_SPOT_POINT_DAYS = 7

SOURCE = Source(
    title="Single readings of AWS, Azure, OCI and Crusoe, 2026",
    homepage="",
    licence="as stated on each row",
    semantics="reading",
    precedence=600,
    published_on=date(2026, 10, 1),
    staleness_days={"spot": _SINGLE_SPOT_POINT_DAYS},
)
_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "instance_type": pl.String,
    "purchase_option": pl.String,
    "usd_per_hour": pl.String,
    "price_basis": pl.String,
    "observed_on": pl.Date,
    "source": pl.String,
    "licence": pl.String,
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per reading. `price_unit` says whether the figure is for the machine or for one accelerator."""
    return read_csv(content, _FILE, _SCHEMA).rename(
        {"source": "source_detail", "price_basis": "price_unit", "usd_per_hour": "native_amount"}
    )


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation. Where the file names a device or a part instead of a machine, there is no machine type."""
    names_a_device = pl.col("provider").is_in(["oci", "crusoe"])
    return machine_observation(
        raw.with_columns(
            usd_per_hour="native_amount",
            commitment_months=pl.lit(None, dtype=pl.Int64),
            first_seen_on="observed_on",
            last_confirmed_on="observed_on",
            gpu_as_named=pl.when(names_a_device).then("instance_type"),
            gpu_count_stated=pl.lit(None, dtype=pl.Float64),
        ),
        SOURCE,
    ).with_columns(
        instance_type=pl.when(~names_a_device).then("instance_type"),
    )
