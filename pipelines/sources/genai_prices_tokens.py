"""Token prices of managed APIs, with the dates of their changes, from the installed package genai-prices."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, time
from importlib import metadata
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import FetchContext, Payload, Source
from pipelines.sources.lib.token_offers import AMOUNTS

SOURCE = Source(
    title="Token prices of managed APIs, PyPI genai-prices",
    homepage="https://github.com/pydantic/genai-prices",
    licence="MIT",
    semantics="change",
    # The newest day that release 0.2.3 speaks of.
    published_on=date(2026, 11, 9),
)
_KEYS = ("input_mtok", "output_mtok", "cache_read_mtok")
_SCHEMA = {
    "provider": pl.String,
    "model_as_named": pl.String,
    "entry_number": pl.Int64,
    "starts_on": pl.Date,
    "is_time_of_day_price": pl.Boolean,
    "is_deprecated": pl.Boolean,
    "usd_per_million_input_tokens": pl.String,
    "usd_per_million_output_tokens": pl.String,
    "usd_per_million_cached_input_tokens": pl.String,
    "has_tiers": pl.Boolean,
    "price_remark": pl.String,
    "usd_per_million_batch_input_tokens": pl.String,
    "usd_per_million_batch_output_tokens": pl.String,
}
_LONGEST_REMARK = 300


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The package's data as JSON with sorted keys, the same bytes from the same release."""
    from genai_prices import data  # noqa: PLC0415  (1.6 MB of code, read only here)

    providers = [
        {
            "id": provider.id,
            "models": [
                {
                    "id": model.id,
                    "deprecated": bool(model.deprecated),
                    "remark": (model.price_comments or "")[:_LONGEST_REMARK] or None,
                    "batch": _batch(model),
                    "prices": _entries(model.prices),
                }
                for model in provider.models
            ],
        }
        for provider in data.providers
    ]
    assert SOURCE.published_on is not None
    return [
        Payload(
            name="genai_prices.json",
            url=f"package:genai-prices=={metadata.version('genai-prices')}",
            content=json.dumps(providers, sort_keys=True).encode(),
            fetched_at=datetime.combine(SOURCE.published_on, time()),
        )
    ]


def _batch(model: Any) -> dict[str, str | None]:
    """Prices of work that may wait, where the seller states them: the newest that is no tier."""
    variants = [v for v in model.price_variants or () if dict(v.when) == {"processing": "batch"}]
    prices = variants[-1].prices if variants else None
    found = {key: getattr(prices, key, None) for key in ("input_mtok", "output_mtok")}
    return {key: None if v is None else str(getattr(v, "base", v)) for key, v in found.items()}


def _entries(prices: Any) -> list[dict[str, Any]]:
    """A model's prices as a list of entries; a price with tiers is its base, said so."""
    found = []
    for entry in prices if isinstance(prices, list) else [prices]:
        constraint, price = getattr(entry, "constraint", None), getattr(entry, "prices", entry)
        values = {key: getattr(price, key, None) for key in _KEYS}
        found.append(
            {
                "start_date": start.isoformat() if (start := getattr(constraint, "start_date", None)) else None,
                "time_of_day": constraint is not None and start is None,
                "tiers": any(hasattr(value, "base") for value in values.values()),
                **{key: None if v is None else str(getattr(v, "base", v)) for key, v in values.items()},
            }
        )
    return found


@parser("genai_prices.json")
def parse(content: bytes) -> pl.DataFrame:
    """One row per provider, model and price entry; prices as printed, per million tokens. Raises ParseError."""
    try:
        providers = json.loads(content)
        rows = [
            (
                provider["id"],
                model["id"],
                number,
                date.fromisoformat(entry["start_date"]) if entry["start_date"] else None,
                entry["time_of_day"],
                model["deprecated"],
                *(entry[key] for key in _KEYS),
                entry["tiers"],
                model.get("remark"),
                *(model.get("batch", {}).get(key) for key in ("input_mtok", "output_mtok")),
            )
            for provider in providers
            for model in provider["models"]
            for number, entry in enumerate(model["prices"], start=1)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError(f"genai_prices.json: {type(error).__name__}: {error}; expected providers with models with prices") from error
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed token_price. Prices that hold only at some time of day are left to their standard price beside them."""
    return raw.filter(~pl.col("is_time_of_day_price")).select(
        "provider",
        "model_as_named",
        "entry_number",
        "starts_on",
        "is_deprecated",
        "usd_per_million_input_tokens",
        "usd_per_million_output_tokens",
        "usd_per_million_cached_input_tokens",
        "has_tiers",
        "price_remark",
        "usd_per_million_batch_input_tokens",
        "usd_per_million_batch_output_tokens",
        pl.lit("USD").alias("currency"),
        *(pl.lit(None, dtype=pl.String).alias(f"native_per_million_{name}_tokens") for name in AMOUNTS),
        pl.coalesce(pl.col("starts_on").cast(pl.Datetime("us")), pl.col("fetched_at")).alias("known_from"),
        pl.col("fetched_at").alias("last_confirmed_at"),
        pl.lit(SOURCE.title).alias("source_detail"),
        pl.lit(SOURCE.homepage).alias("source_url"),
        pl.lit(SOURCE.licence).alias("licence"),
        "snapshot_sha256",
    )
