"""Amounts that are stated in parts: whole units and billionths of one, a machine by what it is made of.

Belongs here: which parts make an amount, and what is said of those that make none. Does not belong here: amounts in one figure
(`decode`), the verdict on an amount (rules of raw table `offer`).

Each part is judged before the sum: parts of different signs, or one below zero among others, give a figure that looks like a price.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pipelines.sources.lib.decode import as_text, field_of, number_of

_NANO = Decimal("0.000000001")


def money_of(stated: Any) -> Decimal | None:
    """The amount of an object with `units` and `nanos`: whole numbers of at least 0, nanos less than a unit; None for any other."""
    units, nanos = (number_of(as_text(field_of(stated, name))) for name in ("units", "nanos"))
    if units is None or nanos is None or units < 0 or not 0 <= nanos * _NANO < 1:
        return None
    is_whole = all(number == number.to_integral_value() for number in (units, nanos))
    return units + nanos * _NANO if is_whole else None


def below_zero(parts: Iterable[tuple[str, Decimal]]) -> str | None:
    """The parts of a sum that are below zero, by name, for the place of its amount: so its row is put aside. None where there are none."""
    return ", ".join(f"{name} at {amount}" for name, amount in parts if amount < 0) or None
