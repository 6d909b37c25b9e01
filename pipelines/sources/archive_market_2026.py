"""Dated readings of sellers' own price pages, 2025 to 2026, most by way of public transcripts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.bundled import package_payload
from pipelines.sources.lib.market_readings import page_observation, read_pages
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FILE = "archive/market_readings_2026.csv"

SOURCE = Source(
    title="Readings of sellers' price pages, 2026-03 to 2026-11",
    homepage="",
    licence="as stated on each row",
    semantics="reading",
    precedence=530,
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
