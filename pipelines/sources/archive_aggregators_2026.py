"""Dated readings of pages that speak about sellers: a cross-check, below every other source."""

from __future__ import annotations

from datetime import date

from pipelines.sources.lib.market_readings import readings_of
from pipelines.sources.lib.source import Source

_FILE = "archive/aggregator_readings_2026.csv"

SOURCE = Source(
    title="Readings of third-party price pages, 2025-12 to 2026-11",
    homepage="",
    licence="as stated on each row",
    semantics="reading",
    precedence=950,
    published_on=date(2026, 11, 16),
)
fetch, parse, normalise = readings_of(_FILE, SOURCE)
