"""Tokens bought from a seller: input, cached input and output at their own prices, in the workload's mix.

Pure. Belongs here: the cost of bought tokens. Does not belong here: machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.decision.constraints import api_refusal
from pipelines.decision.options.way import MILLION, Asked, Way
from pipelines.decision.scenario import TOKEN_PATH, TOKEN_PRICE, Scenario
from pipelines.decision.words import said
from pipelines.decision.workload import Constraints
from pipelines.economics import blended_api_usd_per_million


@dataclass(frozen=True)
class TokensWay(Way):
    """One seller."""

    def components(self, scenario: Scenario) -> dict[str, float]:
        """Cost by part, USD over the years."""
        assert self.api is not None
        low, high = self.api.band_share
        price = self.unit_usd * scenario.value(TOKEN_PRICE, {"low": low, "base": 1.0, "high": high}) * scenario.factor(TOKEN_PRICE)
        path = self.asked.market.drift.get("tokens")
        years = enumerate(self.asked.at_load(scenario))
        return {"tokens": sum(price * scenario.path(TOKEN_PATH, path, number) * year.tokens / MILLION for number, year in years)}

    @property
    def unit_usd(self) -> float:
        """USD per million counted tokens, their share of input and cached input with them."""
        assert self.api is not None
        api, lengths = self.api, self.asked.workload.tokens
        batch = api.batch_share if lengths.batch and api.batch_share is not None else 1.0
        blend = blended_api_usd_per_million(
            api.input_usd, api.output_usd, lengths.input, lengths.output, lengths.cached_input_share, api.cached_input_usd, batch
        )
        return float(blend * (lengths.input + lengths.output) / (lengths.output or lengths.input))

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        assert self.api is not None
        template = "buy tokens at {seller} (a reseller)" if self.api.kind == "reseller" else "buy tokens at {seller}"
        own = self.api.is_yours and self.api.provider == "your quote"
        return said(template, seller=said("your quote") if own else self.api.provider)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is special to this kind."""
        return {"usd_per_million_counted_tokens": self.unit_usd}


def sold(asked: Asked, constraints: Constraints) -> list[TokensWay]:
    """Every allowed seller as a way of its own."""
    allowed = (api for api in asked.market.api_offers if api_refusal(api, constraints, asked.market) is None)
    return [TokensWay("api", asked, api=api) for api in allowed]
