"""Dated readings of price pages, the form of two shipped files: sellers' own pages, and pages about sellers.

Belongs here: reading such a file and bringing its rows into the form of observations. Does not belong here: the facts of the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from pipelines.sources.lib.bundled import machine_observation, package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source

_SCHEMA = {
    "provider": pl.String,
    "region": pl.String,
    "sku": pl.String,
    "gpu_as_named": pl.String,
    "form_factor": pl.String,
    "gpu_memory_gib_stated": pl.Float64,
    "gpu_count": pl.Float64,
    "purchase_option": pl.String,
    "commitment_months": pl.Int64,
    "trust_tier": pl.String,
    "native_amount": pl.String,
    "currency": pl.String,
    "price_unit": pl.String,
    "observed_on": pl.Date,
    "date_basis": pl.String,
    "page_kind": pl.String,
    "source_url": pl.String,
    "source_detail": pl.String,
    "licence": pl.String,
}
# The readers' word for the form of a device, as it is written behind a name that does not say it.
_FORMS = {
    "sxm": "SXM",
    "pcie": "PCIe",
    "nvl": "NVL",
    "oam": "OAM",
    "pcie-server": "Server",
    "pcie-ws": "Workstation",
    "pcie-maxq": "Max-Q",
}


Fetch = Callable[[FetchContext], Iterable[Payload]]
Parse = Callable[[bytes], pl.DataFrame]
Normalise = Callable[[pl.LazyFrame], pl.LazyFrame]


def readings_of(file: str, source: Source) -> tuple[Fetch, Parse, Normalise]:
    """What a source of one shipped file of readings is made of."""
    return (
        lambda _: [package_payload("pipelines", file, source)],
        lambda content: read_pages(content, file),
        lambda raw: page_observation(raw, source),
    )


def read_pages(content: bytes, file: str) -> pl.DataFrame:
    """One row per reading; `page_kind` is seller, transcript (of a seller's page) or aggregator."""
    return read_csv(content, file, _SCHEMA).rename({"gpu_count": "gpu_count_stated", "form_factor": "form_factor_stated"})


def page_observation(raw: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Rows of feed observation: a reading holds on its day. What is not a day that the page states is marked in `source_detail`."""
    form = pl.col("form_factor_stated").replace_strict(_FORMS, default=None, return_dtype=pl.String)
    inferred = pl.when(pl.col("date_basis") == "inferred").then(pl.lit("; day inferred")).otherwise(pl.lit(""))
    aggregator = pl.when(pl.col("page_kind") == "aggregator").then(pl.lit("third-party page: ")).otherwise(pl.lit(""))
    return machine_observation(
        raw.with_columns(
            gpu_as_named=pl.concat_str("gpu_as_named", form, separator=" ", ignore_nulls=True),
            instance_type=pl.when(pl.col("gpu_count_stated").is_not_null()).then("sku"),
            source_detail=pl.concat_str(aggregator, "source_detail", inferred),
            first_seen_on="observed_on",
            last_confirmed_on="observed_on",
        ),
        source,
    )
