"""What a source is fetched with, against a server on this machine."""

from __future__ import annotations

from typing import Any

from pipelines.sources.lib.http import Breaker, HttpClient
from pipelines.sources.lib.source import FetchContext
from tests.support.tables import AT


def fetch_context(
    base_url: str, problems: list[str] | None = None, *, source: str = "test", breaker: Breaker | None = None, **more: Any
) -> FetchContext:
    """A context that waits for nothing and appends what went wrong to `problems`."""
    http = HttpClient(breaker=breaker or Breaker(), timeout_seconds=5, max_bytes=10_000_000, sleep=lambda _: None)
    return FetchContext(source, base_url, 5, AT.date(), http, (problems if problems is not None else []).append, **more)
