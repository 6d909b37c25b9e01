"""Dated readings of pages that speak about sellers: a cross-check, below every other source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload
from pipelines.sources.lib.market_readings import page_observation, read_pages
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/aggregator_readings_2026.csv"

SOURCE = Source(
    title="Readings of third-party price pages, 2025-12 to 2026-11",
    homepage="",
    licence="as stated on each row",
    semantics="reading",
    precedence=950,
    published_on=date(2026, 11, 16),
)


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file as it ships with this project."""
    return [package_payload("pipelines", _FILE, SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """One row per reading."""
    return read_pages(content, _FILE)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation."""
    return page_observation(raw, SOURCE)
