"""Text of others, made fit to be shown: in errors, logs and on a terminal.

Belongs here: cutting and cleaning text that somebody else chose. Does not belong here: escaping for HTML or SQL.
"""

from __future__ import annotations

MAX_SHOWN = 200


def fit_to_show(text: object, limit: int = MAX_SHOWN) -> str:
    """The text without control characters and lone surrogates, cut to `limit` characters with its whole length said."""
    whole = text if isinstance(text, str) else repr(text)
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in whole[:limit])
    return shown if len(whole) <= limit else f"{shown}... ({len(whole):,} characters)"
