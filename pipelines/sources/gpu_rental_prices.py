"""A public set of daily readings of sellers' pages (CC BY 4.0): about 35 sellers, most of them read by no other source here.

Each row keeps the page and the moment of its reading: of a seller whose page could not be read the set repeats the last one. Whoever
has an own page of that seller hears that first (`pipelines.prices.market`). What hosts of a marketplace ask is left out: it is not one
price, and the marketplaces are asked themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.companies import as_company
from pipelines.sources.lib.dates import instant_of, unless_unread
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json
from pipelines.sources.lib.errors import ParseError, SourceError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="GPU Rental Prices, daily readings",
    homepage="https://gpurentalprices.com/data",
    licence="CC BY 4.0",
    attribution="GPU rental price data by gpurentalprices.com, CC BY 4.0",
    semantics="reading",
    precedence=960,
    base_url="https://raw.githubusercontent.com",
    certainty="recorded",
    checked_on=date(2026, 10, 8),
    rows_at_least=100,
    gives="prices per GPU of about 35 sellers, second-hand, each with its page and the moment of its reading",
)
_WHAT = "daily readings"
_PATH = "/adriannutiu/gpu-rental-prices/main/data/latest.json"
# The set is made once a day. An older one holds what it says, each row of its own day, but nothing of today.
_OLDEST_DAYS = 3
_FIELDS = {
    "provider": "provider",
    "gpu": "gpu_as_named",
    "vram_gb": "gpu_memory_gib_stated",
    "usd_hr": "native_amount",
    "kind": "purchase_option_as_named",
    "commitment.months": "commitment_months",
    "rate_basis": "rate_basis",
    "availability": "stock_as_named",
    "region": "region",
    "min_gpus": "least_gpu_count",
    "source_url": "source_url",
    "fetched_at": "read_at",
}
_MARKETPLACE = "marketplace"
# The set's words; what is not among them stays as it is, for the rules to put aside by name.
_OPTIONS = {"on-demand": "on_demand", "secure": "on_demand", "community": "on_demand", "reserved": "commitment"}
_TIERS = {"secure": "secure", "community": "community"}
_STOCK = {"in-stock": "available", "waitlist": "on_request", "by-request": "on_request", "sold-out": "none"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The newest set, about 100 kB."""
    found = one_answer(context, "latest.json", _PATH)
    made_on = as_text(field_of(read_json(found[0].content, _WHAT), "date")) or ""
    try:
        day = date.fromisoformat(made_on[:10])
    except ValueError as error:
        raise SourceError(f"{_WHAT}: date is {fit_to_show(made_on)!r}, expected a day") from error
    if (context.as_of - day).days > _OLDEST_DAYS:
        context.problem(f"{_WHAT}: the newest set is of {day}, {(context.as_of - day).days} days old")
    return found


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per seller, device and terms, as stated. Raises ParseError."""
    offers = list_of(read_json(content, _WHAT), "offers", _WHAT)
    rows = [_row(offer) for offer in offers if field_of(offer, "kind") != _MARKETPLACE]
    if not any(row["provider"] and row["native_amount"] and row["read_at"] for row in rows):
        raise ParseError(f"{_WHAT}: none of {len(rows)} offers has provider, usd_hr and fetched_at")
    kind = pl.col("purchase_option_as_named")
    read_at = instant_of(pl.col("read_at"))
    return (
        pl.DataFrame(rows, schema=dict.fromkeys(_FIELDS.values(), pl.String))
        .with_columns(
            unless_unread("native_amount", {"read_at": read_at}),
            pl.col("gpu_memory_gib_stated").cast(pl.Float64, strict=False),
            pl.col("commitment_months", "least_gpu_count").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
            provider=as_company("provider"),
            region=pl.col("region").fill_null("all"),
            read_at=read_at,
        )
        .with_columns(
            # A commitment of which the set gives no whole months is one whose length is not said.
            purchase_option=pl.when((kind == "reserved") & pl.col("commitment_months").is_null())
            .then(pl.lit("reserved"))
            .otherwise(kind.replace(_OPTIONS)),
            trust_tier=kind.replace_strict(_TIERS, default="datacenter", return_dtype=pl.String),
            stock=pl.col("stock_as_named").replace(_STOCK),
        )
        .select(_COLUMNS)
        .unique(maintain_order=True)
    )


_COLUMNS = [
    "provider",
    "region",
    "gpu_as_named",
    "gpu_memory_gib_stated",
    "least_gpu_count",
    "purchase_option_as_named",
    "purchase_option",
    "commitment_months",
    "trust_tier",
    "stock",
    "rate_basis",
    "native_amount",
    "source_url",
    "read_at",
]


def _row(offer: Any) -> dict[str, str | None]:
    return {ours: as_text(field_of(offer, theirs)) or None for theirs, ours in _FIELDS.items()}


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: a reading is of its own moment, on the page that it was read from."""
    memory = pl.format(" {} GB", pl.col("gpu_memory_gib_stated").cast(pl.Int64, strict=False))
    least = pl.when(pl.col("least_gpu_count") > 1).then(pl.format(" from {} GPUs", "least_gpu_count"))
    starting = pl.when(pl.col("rate_basis") == "starting-at").then(pl.lit(", the least of several"))
    place = pl.col("region")
    return observations(
        raw,
        SOURCE,
        sku=pl.concat_str("gpu_as_named", memory, least, ignore_nulls=True),
        country_stated=pl.when(place.str.contains("^[A-Z]{2}$") & (place != "EU")).then(place),
        price_unit="gpu_hour",
        first_seen_at=pl.col("read_at"),
        last_confirmed_at=pl.col("read_at"),
        source_detail=pl.concat_str(
            pl.lit(f"{SOURCE.attribution}; read "), pl.col("read_at").dt.to_string("%Y-%m-%d"), starting, ignore_nulls=True
        ),
    )
