"""Prices at an instant, as they are known now or were known at another: what the macros `price_at` and `price_known` do, in Python.

Belongs here: asking the published tables. Does not belong here: making them.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl


def price_at(price_history: pl.LazyFrame, instant: datetime) -> pl.LazyFrame:
    """Rows of `marts.price_history` in force at an instant (naive UTC), by what is known now."""
    return price_history.filter(_spans("valid_from", "valid_to", instant))


def price_known(price_history_versions: pl.LazyFrame, instant: datetime, known_at: datetime) -> pl.LazyFrame:
    """Rows of `marts.price_history_versions` that the warehouse held true at `known_at` about `instant` (both naive UTC)."""
    return price_history_versions.filter(_spans("valid_from", "valid_to", instant) & _spans("known_from", "known_to", known_at))


def _spans(start: str, end: str, instant: datetime) -> pl.Expr:
    return (pl.col(start) <= instant) & (pl.col(end).is_null() | (pl.col(end) > instant))
