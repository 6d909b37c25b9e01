"""Errors of sources.

Belongs here: what a fetch or a parser may raise. Does not belong here: what is done about it (`pipelines.ingest`).
"""

from __future__ import annotations

from pipelines.platform.errors import ExplainedError
from pipelines.platform.text import fit_to_show

# A message quotes what others sent: it is bounded and clean wherever it goes.
_MAX_MESSAGE = 500


class SourceError(ExplainedError):
    """A source cannot be read; the message names the source's address, field and value, never a secret. It is cut to 500 characters."""

    def __init__(self, message: str) -> None:
        super().__init__(fit_to_show(message, _MAX_MESSAGE))


class ParseError(SourceError):
    """A payload is not of the documented shape; the message says what was expected and what was found."""


class OfflineError(SourceError):
    """There is no network: a connection failed, or the shared breaker is open and nothing was tried."""
