"""Lengths of commitments as sources write them: `1yr`, `3 Years`, `P1Y`, `P18M`, `36 months`, `2 weeks`, `90 days`.

Belongs here: a text to whole months or days. Does not belong here: which sources state one.
"""

from __future__ import annotations

import polars as pl

_NUMBER = r"(?:^|[^\d.])(\d{1,4}(?:\.\d+)?)\+? ?"
_PARTS = {
    "years": _NUMBER + r"(?:y|yrs?|years?)\b",
    "months": _NUMBER + r"(?:m|mos?|mon|mths?|months?)\b",
    "weeks": _NUMBER + r"(?:w|wks?|weeks?)\b",
    "days": _NUMBER + r"(?:d|days?)\b",
}
# From one length to another, or a power of ten: no one length.
_SEVERAL = r"\d ?[a-z]* ?(?:[-\x{2013}\x{2014}/]|to) ?\d|\de\d"


def months_of(text: pl.Expr) -> pl.Expr:
    """The months of a term in years and months; NULL where the text says none, several, or no whole number of them."""
    return _whole(text, 12, "years", "months")


def days_of(text: pl.Expr) -> pl.Expr:
    """The days of a term in weeks and days; NULL where the text says none, several, or no whole number of them."""
    return _whole(text, 7, "weeks", "days")


def _whole(text: pl.Expr, size: int, greater: str, smaller: str) -> pl.Expr:
    plain = text.str.to_lowercase().str.replace_all(r"(\d),(\d{3})\b", "$1$2").str.replace_all(r"(\d),(\d)", "$1.$2")
    # A duration of ISO 8601 runs its parts together (P1Y6M).
    apart = plain.str.replace_all(r"[-_\s]+", " ").str.replace_all(r"(\d[ymwd])(\d)", "$1 $2")
    units, parts = (apart.str.extract(_PARTS[unit], 1).cast(pl.Float64) for unit in (greater, smaller))
    both = size * units.fill_null(0) + parts.fill_null(0)
    is_said = (units.is_not_null() | parts.is_not_null()) & ~plain.str.contains(_SEVERAL)
    return pl.when(is_said & (both == both.round())).then(both).cast(pl.Int64)
