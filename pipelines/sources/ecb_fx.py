"""Euro reference rates of the European Central Bank, from its own file of all days."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.decode import parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import FetchContext, Payload, Source

_PATH = "/stats/eurofxref/eurofxref-hist.zip"
_MEMBER = "eurofxref-hist.csv"
_RATE = r"^[0-9]{1,9}(\.[0-9]+)?$"
_MAX_CURRENCIES = 100
_MAX_UNPACKED_BYTES = 32 * 1024 * 1024

SOURCE = Source(
    title="ECB euro foreign exchange reference rates",
    homepage="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates",
    licence="ECB, reuse with attribution",
    attribution="Source: European Central Bank",
    semantics="change",
    precedence=100,
    certainty="recorded",
    gives="euro reference rates of every day since 1999",
    base_url="https://www.ecb.europa.eu",
)


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The file of all days since 1999, about 600 KB."""
    answer = context.http.get(context.base_url + _PATH)
    return [Payload("eurofxref-hist.zip", answer.url, answer.content, utc_now(), answer.status, answer.etag)]


@parser("eurofxref-hist.zip")
def parse(content: bytes) -> pl.DataFrame:
    """One row per day and currency in the order of the file: units of the currency for one euro, as printed. `N/A` is no row.

    What is no day or no rate is NULL, for the rules to put aside with its row. Raises ParseError for a damaged or oversized archive,
    another member or header, and where nothing is a rate of a day.
    """
    rows = list(csv.reader(io.StringIO(_unpacked(content).decode("utf-8-sig"))))
    if not rows or [name.strip() for name in rows[0][:1]] != ["Date"] or len(rows) < 2:
        raise ParseError(f"{_MEMBER}: header is {rows[0][:5] if rows else 'missing'}, expected Date and then currencies")
    currencies = [name.strip() for name in rows[0][1:] if name.strip()]
    if len(currencies) > _MAX_CURRENCIES or len(set(currencies)) != len(currencies):
        raise ParseError(f"{_MEMBER}: header names {len(currencies)} currencies, expected at most {_MAX_CURRENCIES}, each once")
    width = len(currencies) + 1
    lines = [[*row[:width], *[""] * (width - len(row))] for row in rows[1:] if row]
    wide = pl.DataFrame(lines, schema=["on_date", *currencies], orient="row")
    stated = (
        wide.with_row_index("__line")
        .unpivot(index=["__line", "on_date"], variable_name="currency", value_name="units_per_eur")
        .with_columns(pl.col("units_per_eur").str.strip_chars())
        .filter(~pl.col("units_per_eur").is_in(["N/A", ""]))
    )
    is_rate = pl.col("units_per_eur").str.contains(_RATE)
    long = stated.sort("__line", "currency").select(
        on_date=pl.col("on_date").str.strip_chars().str.to_date("%Y-%m-%d", strict=False),
        currency="currency",
        units_per_eur=pl.when(is_rate).then("units_per_eur"),
    )
    if long.drop_nulls().is_empty() and not stated.is_empty():
        _, day, currency, rate = stated.row(0)
        raise ParseError(f"{_MEMBER}: day {day!r}, {currency}: {rate!r} is not a rate of a day, expected YYYY-MM-DD and a number")
    return long


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed fx. A rate is known from its own day on."""
    return as_fx(raw, SOURCE)


def as_fx(raw: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Rows of feed fx from the parsed file, of this service or of a package that carries it."""
    return raw.select(
        "on_date",
        "currency",
        "units_per_eur",
        pl.col("on_date").cast(pl.Datetime("us")).alias("known_from"),
        "fetched_at",
        pl.lit(source.title).alias("source_detail"),
        pl.lit(source.homepage).alias("source_url"),
        pl.lit(source.licence).alias("licence"),
        "snapshot_sha256",
    )


def _unpacked(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if names != [_MEMBER]:
                raise ParseError(f"eurofxref-hist.zip: holds {names}, expected one member {_MEMBER}")
            with archive.open(_MEMBER) as member:
                unpacked = member.read(_MAX_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise ParseError(f"eurofxref-hist.zip: not a readable archive: {error}") from error
    if len(unpacked) > _MAX_UNPACKED_BYTES:
        raise ParseError(f"eurofxref-hist.zip: unpacks to more than {_MAX_UNPACKED_BYTES:,} bytes")
    return unpacked
