"""Dated purchase prices of accelerators and servers, 2017 to 2025, collected by Epoch AI."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/hardware_purchase_prices.csv"

SOURCE = Source(
    title="Hardware purchase prices, 2017 to 2025",
    homepage="https://github.com/epoch-research/training-cost-trends",
    licence="CC BY 4.0",
    attribution="Epoch AI",
    semantics="reading",
    published_on=date(2025, 3, 4),
)
_SCHEMA = {
    "hardware_as_named": pl.String,
    "price_date": pl.Date,
    "usd_per_unit": pl.String,
    "gpus_in_quote": pl.Float64,
    "vendor": pl.String,
    "basis": pl.String,
    "source_url": pl.String,
    "source": pl.String,
    "licence": pl.String,
}


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per quote, numbered as in the file; the price is per accelerator, whatever the quote was for."""
    return (
        read_csv(content, _FILE, _SCHEMA)
        .rename({"source": "source_detail", "price_date": "price_on", "usd_per_unit": "usd_per_gpu_in_quote"})
        .with_row_index("quote_number", offset=1)
        .with_columns(pl.col("quote_number").cast(pl.Int64))
    )
