"""One state of the world: how far each uncertain input lies from its base.

Belongs here: the names of the inputs and what each does to a figure. Does not belong here: which states are tried (`robustness`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.decision.market import Band, Drift

# Inputs that are no row of the table of assumptions.
LOAD, THROUGHPUT = "load", "throughput"
SERVER_PRICE, SERVER_POWER = "server_price", "server_power"
RENTED_PRICE, RENT_PATH = "rented_price", "rent_path"
TOKEN_PRICE, TOKEN_PATH = "token_price", "token_price_path"
ELECTRICITY, SPARE = "electricity_usd_per_kwh", "spare_servers"
PACKING = "whole_machine_packing_share"
# Of spot machines whose seller says how often it takes them back, and of the others.
INTERRUPTIONS, TIME_BETWEEN_INTERRUPTIONS = "spot_interruptions_per_month", "spot_mean_time_between_interruptions_s"


@dataclass(frozen=True)
class Scenario:
    """`at`: position of an input in its band, -1 the cheap end, 0 base, 1 the dear end; `factors`: prices times a number."""

    at: Mapping[str, float] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)

    def value(self, name: str, band: Band) -> float:
        """The input's value between the ends of its band."""
        position = self.at.get(name, 0.0)
        base = band["base"]
        return base + position * (band["high"] - base if position > 0 else base - band["low"])

    def factor(self, name: str) -> float:
        """What prices of this name are multiplied by."""
        return self.factors.get(name, 1.0)

    def path(self, name: str, drift: Drift | None, years: float) -> float:
        """What a price of today is multiplied by after some years: knowledge shrinks with the root of time."""
        position = self.at.get(name, 0.0)
        if drift is None or position == 0:
            return 1.0
        return math.exp(position * (drift.high if position > 0 else -drift.low) * math.sqrt(years))


BASE = Scenario()


def aged(price: float, drift: Drift | None, age_days: float) -> dict[str, float]:
    """Band of a price that was last seen so many days ago, from how far prices of its kind moved within a year."""
    if drift is None:
        return {"low": price, "base": price, "high": price}
    root = math.sqrt(max(age_days, 0.0) / 365)
    return {"low": price * math.exp(drift.low * root), "base": price, "high": price * math.exp(drift.high * root)}
