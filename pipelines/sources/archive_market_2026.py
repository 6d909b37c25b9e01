"""Dated readings of sellers' own price pages, 2025 to 2026, most by way of public transcripts."""

from __future__ import annotations

from datetime import date

from pipelines.sources.lib.market_readings import readings_of
from pipelines.sources.lib.source import Source

_FILE = "archive/market_readings_2026.csv"

SOURCE = Source(
    title="Readings of sellers' price pages, 2026-03 to 2026-11",
    homepage="",
    licence="as stated on each row",
    semantics="reading",
    precedence=530,
    published_on=date(2026, 11, 16),
)
fetch, parse, normalise = readings_of(_FILE, SOURCE)
