"""DeepInfra's list of models with its token prices, which it states in cents per token."""

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
    title="DeepInfra models",
    homepage="https://deepinfra.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=50,
    base_url="https://api.deepinfra.com",
    table=API_PRICE_TABLE,
    certainty="reported",
    checked_on=date(2026, 11, 23),
    rows_at_least=5,
    gives="token prices of open-weight models, with their quantisation",
)
_WHAT = "list of models"
# A cent per token is 10,000 dollars for a million.
_CENTS = "10000"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The list."""
    return one_answer(context, "models.json", "/models/list")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per open-weight model that is sold by the token. Raises ParseError."""
    models = list_of(read_json(content, _WHAT), "", _WHAT)
    if not any(field_of(model, "pricing.cents_per_input_token") for model in models):
        raise ParseError(f"{_WHAT}: pricing.cents_per_input_token is in none of {len(models)} models")
    rows = [
        {
            "model_as_named": as_text(field_of(model, "model_name")),
            "is_deprecated": field_of(model, "deprecated") is True,
            "input": per_million(field_of(model, "pricing.cents_per_input_token"), _CENTS),
            "output": per_million(field_of(model, "pricing.cents_per_output_token"), _CENTS),
            "price_remark": "; ".join(filter(None, (quantised and f"served in {quantised}", until(field_of(model, "deprecated"))))) or None,
        }
        for model in models
        if field_of(model, "pricing.type") == "tokens" and is_open_weight(as_text(field_of(model, "model_name")))
        for quantised in [as_text(field_of(model, "quantization"))]
    ]
    return token_offers([row for row in rows if row["input"] or row["output"]], provider="deepinfra", currency="USD")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed token_price."""
    return token_prices(raw, SOURCE)
