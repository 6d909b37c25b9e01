"""Errors of sources.

Belongs here: what a fetch or a parser may raise. Does not belong here: what is done about it (`pipelines.ingest`).
"""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read; the message names the source's address, field and value, never a secret."""


class ParseError(SourceError):
    """A payload is not of the documented shape; the message says what was expected and what was found."""


class OfflineError(SourceError):
    """There is no network: a connection failed, or the shared breaker is open and nothing was tried."""
