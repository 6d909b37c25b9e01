"""The present, in the one form that every `_at` column has.

Belongs here: reading the clock. Does not belong here: days that a refresh computes for (`as_of` is always given).
"""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present, as a naive UTC datetime with whole microseconds (the type of every `_at` column)."""
    return datetime.now(UTC).replace(tzinfo=None)
