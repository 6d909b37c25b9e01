"""LiteLLM's table of token prices of many sellers, second-hand: a cross-check and a fallback, never instead of a seller's own word.

Euro prices of European sellers may stand there as dollars, and 0 is both free and unknown: such rows are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.source import FetchContext, Payload, Source
from pipelines.sources.lib.token_offers import API_PRICE_TABLE, is_open_weight, per_million, token_offers, token_prices, until

SOURCE = Source(
    title="LiteLLM table of prices",
    homepage="https://github.com/BerriAI/litellm",
    licence="MIT",
    attribution="prices as collected by LiteLLM",
    semantics="reading",
    precedence=400,
    base_url="https://raw.githubusercontent.com",
    table=API_PRICE_TABLE,
    certainty="recorded",
    checked_on=date(2026, 11, 23),
    rows_at_least=50,
    gives="token prices of open-weight models at many sellers, second-hand",
)
_WHAT = "table of prices"
_MODES = ("chat", "completion", "responses")
# Sellers who ask for euros.
_EURO_SELLERS = ("ovhcloud", "scaleway", "nscale")
# Names of sellers that other sources know under another one.
_SELLERS = {"together_ai": "together", "fireworks_ai": "fireworks", "bedrock": "aws", "bedrock_converse": "aws", "azure_ai": "azure"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The table."""
    return one_answer(context, "model_prices.json", "/BerriAI/litellm/main/model_prices_and_context_window.json")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per open-weight model and seller with both prices. Raises ParseError."""
    document = read_json(content, _WHAT)
    if not isinstance(document, dict):
        raise ParseError(f"{_WHAT}: {type(document).__name__}, expected an object by model")
    models = {name: model for name, model in document.items() if isinstance(model, dict) and name != "sample_spec"}
    if not any(field_of(model, "litellm_provider") and field_of(model, "input_cost_per_token") is not None for model in models.values()):
        raise ParseError(f"{_WHAT}: none of {len(models)} models has litellm_provider and input_cost_per_token")
    found: dict[tuple[str | None, ...], dict[str, Any]] = {}
    for name, model in models.items():
        seller = as_text(field_of(model, "litellm_provider")) or ""
        prices = {
            "input": per_million(field_of(model, "input_cost_per_token")),
            "output": per_million(field_of(model, "output_cost_per_token")),
        }
        if (
            field_of(model, "mode") in _MODES
            and is_open_weight(name)
            and seller not in _EURO_SELLERS
            and all(p not in (None, "0") for p in prices.values())
        ):
            own_name = name.removeprefix(f"{seller}/")
            row = {"provider": _SELLERS.get(seller, seller), "model_as_named": own_name, **prices}
            row["cached_input"] = per_million(field_of(model, "cache_read_input_token_cost"))
            row["batch_input"] = per_million(field_of(model, "input_cost_per_token_batches"))
            row["batch_output"] = per_million(field_of(model, "output_cost_per_token_batches"))
            row["price_remark"] = until(field_of(model, "deprecation_date"))
            # Entries that agree are one; of others none is chosen, and the rules put them aside.
            found[tuple(row.values())] = row
    return token_offers(found.values(), currency="USD")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed token_price."""
    return token_prices(raw, SOURCE)
