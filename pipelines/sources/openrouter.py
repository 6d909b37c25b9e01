"""OpenRouter's list of models: of each the price of its cheapest endpoint, which a hub passes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.source import FetchContext, Payload, Source
from pipelines.sources.lib.token_offers import API_PRICE_TABLE, is_open_weight, per_million, token_offers, token_prices, until

SOURCE = Source(
    title="OpenRouter models",
    homepage="https://openrouter.ai/models",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=50,
    base_url="https://openrouter.ai",
    table=API_PRICE_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    rows_at_least=5,
    gives="token prices of open-weight models, of each those of the cheapest endpoint behind the hub",
)
_WHAT = "list of models"
# Names behind a colon are free or dearer ways to the same model.
_VARIANT = ":"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The list."""
    return one_answer(context, "models.json", "/api/v1/models")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per open-weight model with prices; -1 is a price that depends, and none. Raises ParseError."""
    models = list_of(read_json(content, _WHAT), "data", _WHAT)
    if not any(field_of(model, "pricing.prompt") for model in models):
        raise ParseError(f"{_WHAT}: pricing.prompt is in none of {len(models)} models")
    rows = [
        {
            "model_as_named": name,
            "input": per_million(field_of(model, "pricing.prompt")),
            "output": per_million(field_of(model, "pricing.completion")),
            "cached_input": per_million(field_of(model, "pricing.input_cache_read")),
            "price_remark": until(field_of(model, "expiration_date")),
        }
        for model in models
        if (name := as_text(field_of(model, "id"))) and _VARIANT not in name and is_open_weight(name)
    ]
    return token_offers([row for row in rows if row["input"] or row["output"]], provider="openrouter", currency="USD")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed token_price."""
    return token_prices(raw, SOURCE)
