"""Scaleway's catalogue of generative APIs: token prices in euros, served in France."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import islice
from itertools import product as product_of

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.scaleway import is_sold, products_of, retail_amount
from pipelines.sources.lib.source import FetchContext, Payload, Source
from pipelines.sources.lib.token_offers import API_PRICE_TABLE, per_million, token_offers, token_prices

SOURCE = Source(
    title="Scaleway product catalogue, generative APIs",
    homepage="https://www.scaleway.com/en/pricing/model-as-a-service/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=50,
    base_url="https://api.scaleway.com",
    table=API_PRICE_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="token prices of open-weight models in euros, without VAT",
)
_WHAT = "catalogue of generative APIs"
_MOST_OF_A_MODEL = 10
_AMOUNT_OF = {
    ("realtime", "input_token"): "input",
    ("realtime", "output_token"): "output",
    ("realtime", "cached_input_token"): "cached_input",
    ("batch", "input_token"): "batch_input",
    ("batch", "output_token"): "batch_output",
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The generative APIs, page by page."""
    return products_of(context, "generative_apis", "generative_apis")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per model; a product is one kind of token of one model. Raises ParseError."""
    products = list_of(read_json(content, _WHAT), "products", _WHAT)
    if products and not any(field_of(product, "properties.generative_apis.token_type") for product in products):
        raise ParseError(f"{_WHAT}: properties.generative_apis.token_type is in none of {len(products)} products")
    models: dict[tuple[str, str], dict[str, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for product in products:
        of = field_of(product, "properties.generative_apis")
        kind = _AMOUNT_OF.get((as_text(field_of(of, "consumption_mode")) or "", as_text(field_of(of, "token_type")) or ""))
        name = as_text(field_of(product, "product"))
        currency = as_text(field_of(product, "price.retail_price.currency_code"))
        if kind and name and currency and is_sold(product):
            amount = retail_amount(product)
            models[name, currency][kind].add(per_million(amount) or amount)
    # Of a kind at two amounts neither is chosen: the model stands there twice, for the rules to put aside.
    rows = [
        {"model_as_named": name, "currency": currency, **dict(zip(amounts, stated, strict=True))}
        for (name, currency), amounts in models.items()
        for stated in islice(product_of(*(sorted(values, key=str) for values in amounts.values())), _MOST_OF_A_MODEL)
    ]
    return token_offers(rows, provider="scaleway")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed token_price."""
    return token_prices(raw, SOURCE)
