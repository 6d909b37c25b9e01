"""Files that ship with the project or with an installed package, read as if they had been fetched.

Belongs here: reading such a file as a payload, and reading an archive's CSV strictly. Does not belong here: curated tables without a
module of their own (`registry.parse_curated`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, time
from importlib import resources

import polars as pl

from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import Payload, Source


def package_payload(package: str, file: str, source: Source) -> Payload:
    """An installed file as a payload, dated with the day on which its content was published."""
    assert source.published_on is not None
    content = resources.files(package).joinpath(file).read_bytes()
    return Payload(name=file, url=f"package:{package}/{file}", content=content, fetched_at=datetime.combine(source.published_on, time()))


def read_csv(content: bytes, file: str, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """Read a CSV whose header is exactly the schema's names. An empty field is NULL.

    Raises ParseError naming file, line, column and value for a header, a line or a value that does not fit.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParseError(f"{file}: not readable as CSV in UTF-8: {error}") from error
    expected = list(schema)
    if not rows or rows[0] != expected:
        raise ParseError(f"{file}: header is {rows[0] if rows else 'missing'}, expected {expected}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(expected):
            raise ParseError(f"{file}, line {number}: {len(row)} fields, expected {len(expected)}")
    text = pl.DataFrame(rows[1:], schema=dict.fromkeys(expected, pl.String), orient="row").with_columns(pl.all().replace("", None))
    typed = text.select(_typed(pl.col(name), kind) for name, kind in schema.items())
    for name in expected:
        bad = text.get_column(name).is_not_null() & typed.get_column(name).is_null()
        if bad.any():
            at = bad.arg_true()[0]
            raise ParseError(f"{file}, line {at + 2}, column {name}: {text.get_column(name)[at]!r} is not {schema[name]}")
    return typed


def _typed(text: pl.Expr, kind: pl.DataType | type[pl.DataType]) -> pl.Expr:
    if kind == pl.Boolean:
        return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if kind == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    return text.cast(kind, strict=False)


def machine_observation(raw: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Rows of feed observation from an archive.

    Needs provider, purchase_option, first_seen_on, last_confirmed_on, source_detail, licence, `sku` or `instance_type`, and
    `native_amount` or `usd_per_hour`; what else of the feed's columns is there is taken.
    """
    found = raw.collect_schema().names()
    machine = pl.col("instance_type").str.strip_chars() if "instance_type" in found else pl.lit(None, dtype=pl.String)
    first_seen_at = pl.col("first_seen_on").cast(pl.Datetime("us"))
    return observations(
        raw,
        source,
        sku=pl.col("sku" if "sku" in found else "instance_type"),
        instance_type=machine,
        native_amount=pl.col("native_amount" if "native_amount" in found else "usd_per_hour"),
        first_seen_at=first_seen_at,
        last_confirmed_at=pl.col("last_confirmed_on").cast(pl.Datetime("us")),
        known_from=first_seen_at,
    )
