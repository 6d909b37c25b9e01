"""How one formula serves floats and polars expressions alike.

Belongs here: telling the two apart and guarding arguments: on floats a bad one raises ValueError naming it, in expressions it makes
the result NULL. Does not belong here: any formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

Number = float | pl.Expr


@dataclass(frozen=True)
class Domain:
    """Values that an argument may take; `text` says so in words."""

    text: str
    holds: Callable[[Any], Any]


POSITIVE = Domain("a number above 0", lambda x: x > 0)
NOT_NEGATIVE = Domain("a number of at least 0", lambda x: x >= 0)
SHARE = Domain("a share from 0 to 1", lambda x: (x >= 0) & (x <= 1))
POSITIVE_SHARE = Domain("a share above 0 and at most 1", lambda x: (x > 0) & (x <= 1))
SHARE_BELOW_ONE = Domain("a share of at least 0 and below 1", lambda x: (x >= 0) & (x < 1))
AT_LEAST_ONE = Domain("a number of at least 1", lambda x: x >= 1)


def is_expression(*arguments: object) -> bool:
    """True where any argument is a polars expression."""
    return any(isinstance(argument, pl.Expr) for argument in arguments)


def quotient(dividend: Any, divisor: Any) -> Any:
    """dividend / divisor; in expressions by way of 1 / divisor, which comes out the same however rows fell into chunks.

    polars divides by a column that happens to be constant in a chunk as by a number, and that differs in the last bit.
    """
    return dividend * (1 / divisor) if is_expression(dividend, divisor) else dividend / divisor


def guarded(formula: Callable[[], Any], **arguments: tuple[Any, Domain]) -> Any:
    """Value of the formula for arguments in their domains.

    On floats raises ValueError naming the first argument that is not; in expressions such rows are NULL. None (an argument left out)
    is not checked.
    """
    given = {name: pair for name, pair in arguments.items() if pair[0] is not None}
    for name, (value, domain) in given.items():
        if not is_expression(value) and not _is_good(value, domain):
            raise ValueError(f"{name} is {value!r}, expected {domain.text}")
    if not is_expression(*(value for value, _ in given.values())):
        return formula()
    good = pl.all_horizontal(
        value.cast(pl.Float64).is_finite() & domain.holds(value) for value, domain in given.values() if is_expression(value)
    )
    return pl.when(good).then(formula())


def _is_good(value: Any, domain: Domain) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and bool(domain.holds(value))
