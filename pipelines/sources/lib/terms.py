"""Lengths of commitments as sources write them: `1yr`, `3 Years`, `P1Y`, `P18M`, `36 months`, `2 weeks`, `90 days`.

Belongs here: a text to whole months or days. Does not belong here: which sources state one.
"""

from __future__ import annotations

import polars as pl

_PARTS = {
    "years": r"(\d{1,2}) ?(?:y|yrs?|years?)\b",
    "months": r"(\d{1,3}) ?(?:m|mos?|mon|mths?|months?)\b",
    "weeks": r"(\d{1,3}) ?(?:w|wks?|weeks?)\b",
    "days": r"(\d{1,4}) ?(?:d|days?)\b",
}


def months_of(text: pl.Expr) -> pl.Expr:
    """The months of a term in years and months; NULL where the text says none."""
    years, months = _part(text, "years"), _part(text, "months")
    return pl.when(years.is_not_null() | months.is_not_null()).then(12 * years.fill_null(0) + months.fill_null(0))


def days_of(text: pl.Expr) -> pl.Expr:
    """The days of a term in weeks and days; NULL where the text says none."""
    weeks, days = _part(text, "weeks"), _part(text, "days")
    return pl.when(weeks.is_not_null() | days.is_not_null()).then(7 * weeks.fill_null(0) + days.fill_null(0))


def _part(text: pl.Expr, unit: str) -> pl.Expr:
    # A duration of ISO 8601 runs its parts together (P1Y6M).
    plain = text.str.to_lowercase().str.replace_all(r"[-_\s]+", " ").str.replace_all(r"(\d[ymwd])(\d)", "$1 $2")
    return plain.str.extract(_PARTS[unit], 1).cast(pl.Int64)
