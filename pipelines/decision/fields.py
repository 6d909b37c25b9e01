"""Kinds of fields of a workload file, and what is said of a wrong one.

Belongs here: numbers, shares, countries as a person writes them. Does not belong here: which fields there are (`workload`, `quotes`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.decision.lookups import country_of

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def _number(value: object) -> object:
    """Numbers only: not yes or no, and no text with separators that may stand for thousands or decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        raise ValueError("expected a number such as 40e6 or 0.05, without separators of thousands")
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
# A greater sum is a mistake of unit, and its product with a load no number any more.
Money = Annotated[Positive, Field(le=1e12)]


def _printable(value: str) -> str:
    """Signs that a terminal takes for orders are no part of a name."""
    if not value.isprintable():
        raise ValueError("expected text without control characters")
    return value


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Country = Annotated[str, BeforeValidator(country_of)]


def _day(value: object) -> object:
    """A day as it stands in a calendar: not seconds since 1970, and none that is another day elsewhere."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("expected a day such as 2026-01-15")


Day = Annotated[date, BeforeValidator(_day)]


class Strict(BaseModel):
    """A field that is not known is a mistake; nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
