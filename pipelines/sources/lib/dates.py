"""Dates as sources write them, and what becomes of an amount whose dates cannot be read.

Belongs here: a text to a day or an instant. Does not belong here: which dates a source states, whether a price is in force (`offers`).

A date that is stated and not understood is not one that is absent: an offer would have no end. Its amount then says so, and is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl


def day_of(text: pl.Expr) -> pl.Expr:
    """The day of a date, or of a time as it is written; NULL where it is neither."""
    return text.str.strip_chars().str.extract(r"^(\d{4}-\d{2}-\d{2})(?:$|[T ]\d)", 1).str.to_date("%Y-%m-%d", strict=False)


def instant_of(text: pl.Expr) -> pl.Expr:
    """A day, or a time with or without a zone, as UTC; NULL where it is neither."""
    text = text.str.strip_chars()
    zoned = text.str.to_datetime("%+", time_unit="us", strict=False).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    forms = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return pl.coalesce(zoned, *(text.str.to_datetime(form, time_unit="us", strict=False) for form in forms), day)


def instant(text: str) -> datetime | None:
    """The same of one text, in UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def unless_unread(amount: str, read: Mapping[str, pl.Expr]) -> pl.Expr:
    """The amount, or where one of these columns holds a text that could not be read, the amount with that text: no number any more."""
    unread = {name: pl.col(name).is_not_null() & found.is_null() for name, found in read.items()}
    texts = (pl.when(is_unread).then(pl.format(" with {} {}", pl.lit(name), pl.col(name))) for name, is_unread in unread.items())
    said = pl.concat_str(pl.col(amount).fill_null("no amount"), *texts, ignore_nulls=True)
    return pl.when(pl.any_horizontal(unread.values())).then(said).otherwise(amount).alias(amount)
