"""Figures of the asker's own that stand beside the market: quotes, tariffs, salaries, measured rates, assumptions.

Belongs here: their fields. Does not belong here: putting them beside the market's (`own_figures`). Money is in the workload's currency.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from pipelines.decision.fields import Country, Day, Money, Number, Positive, Share, Strict, Text, Whole

Gpus = Annotated[Whole, Field(ge=1, le=1024)]
# Costs that are counted where the workload asks for them; the table of assumptions holds their ranges.
Extra = Literal["lead_time", "lease", "financing", "tax", "egress", "storage", "support", "cloud_staff", "carbon"]


class ServerQuote(Strict):
    """A server offered to the asker. `price` of one, without tax; of a used one also its age, as its upkeep is that of a new one."""

    gpu: Text
    gpu_count: Gpus
    price: Money
    load_kw: Positive | None = None
    quoted_on: Day | None = None
    used: bool = False
    age_years: Annotated[Number, Field(ge=0, le=10)] = 0.0

    @model_validator(mode="after")
    def _age(self) -> ServerQuote:
        if self.age_years and not self.used:
            raise ValueError("expected age_years of a used server only (used: true)")
        return self


class RentQuote(Strict):
    """Rented machines offered to the asker; `price_per_hour` of one machine."""

    gpu: Text
    gpu_count: Gpus
    price_per_hour: Money
    option: Literal["on_demand", "spot", "commitment"] = "on_demand"
    commitment_months: Annotated[Whole, Field(ge=1, le=120)] | None = None
    provider: Text = "your quote"
    country: Country | None = None
    quoted_on: Day | None = None

    @model_validator(mode="after")
    def _term(self) -> RentQuote:
        if (self.option == "commitment") != (self.commitment_months is not None):
            raise ValueError("expected commitment_months with option commitment, and only there")
        return self


class TokenQuote(Strict):
    """Tokens offered to the asker, per million."""

    provider: Text = "your quote"
    input: Annotated[Number, Field(ge=0, le=1e9)]
    output: Annotated[Number, Field(ge=0, le=1e9)]
    cached_input: Annotated[Number, Field(ge=0, le=1e9)] | None = None
    batch_share: Annotated[Share, Field(gt=0)] | None = None
    country: Country | None = None
    quoted_on: Day | None = None


class RateQuote(Strict):
    """A rate that the asker measured within the objective: tokens per second of `gpu_count` GPUs together, with so many at a time."""

    gpu: Text
    gpu_count: Gpus
    precision: Text
    tokens_per_second: Annotated[Positive, Field(le=1e12)]
    concurrency: Annotated[Number, Field(ge=1, le=1e6)] | None = None
    engine: Text = "-"
    measured_on: Day | None = None


class Quotes(Strict):
    """All of them. `only` leaves the market's figures of that kind out."""

    servers: tuple[ServerQuote, ...] = ()
    rents: tuple[RentQuote, ...] = ()
    tokens: tuple[TokenQuote, ...] = ()
    rates: tuple[RateQuote, ...] = ()
    electricity_per_kwh: Money | None = None
    salary_per_year: Money | None = None
    colocation_per_kw_month: Money | None = None


class Ends(Strict):
    """An assumption with its range: the least, the likely and the greatest value."""

    low: Number
    base: Number
    high: Number

    @model_validator(mode="after")
    def _ordered(self) -> Ends:
        if not self.low <= self.base <= self.high:
            raise ValueError("expected low <= base <= high")
        return self


OWN_KINDS = ("a number", "its ends")
Own = Annotated[
    Annotated[Number, Tag(OWN_KINDS[0])] | Annotated[Ends, Tag(OWN_KINDS[1])],
    Discriminator(lambda value: OWN_KINDS[isinstance(value, dict | Ends)]),
]
