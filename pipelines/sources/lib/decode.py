"""Reading the bytes of others: whatever they are, a frame comes out or a ParseError.

Belongs here: JSON and CSV read within limits of depth, size and columns, items of JSON as rows of text, the guard round every parser.
Does not belong here: what a field means.

Two levels of wrong: an answer of another shape (a field that no item has, a list that is none) is a ParseError; one item that lacks a
field or holds another kind of value is a row like the others, with NULL or the value's own text, and the rules of its table put it aside.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import wraps
from itertools import islice
from typing import Any

import polars as pl

from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.errors import ParseError

_MAX_BYTES = 256 * 1024 * 1024
_MAX_ROWS = 2_000_000
_MAX_COLUMNS = 500
_LINES_AT_ONCE = 20_000
_MAX_VALUE = 2_000
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

Parser = Callable[[bytes], pl.DataFrame]


def parser(what: str) -> Callable[[Parser], Parser]:
    """The guard round a parser: any failure on any bytes is a ParseError that names `what`, a panic of polars as well."""

    def guard(parse: Parser) -> Parser:
        @wraps(parse)
        def guarded(content: bytes) -> pl.DataFrame:
            if len(content) > _MAX_BYTES:
                raise ParseError(f"{what}: {len(content):,} bytes, expected at most {_MAX_BYTES:,}")
            try:
                frame = parse(content)
            except ParseError:
                raise
            except (Exception, pl.exceptions.PanicException) as error:
                raise ParseError(f"{what}: {type(error).__name__}: {fit_to_show(str(error))}") from error
            if frame.height > _MAX_ROWS:
                raise ParseError(f"{what}: {frame.height:,} rows, expected at most {_MAX_ROWS:,}")
            return frame

        return guarded

    return guard


def read_json(content: bytes, what: str) -> Any:
    """The document, fractions as Decimal with every digit, NaN and infinity as text. Raises ParseError for what is no JSON or too deep."""
    try:
        found = json.loads(content, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        start = content[:40].decode("utf-8", "replace")
        raise ParseError(f"{what}: not readable as JSON: {fit_to_show(str(error))}; begins with {fit_to_show(start)}") from error
    return _without_surrogates(found) if _SURROGATE.search(content) else found


def _without_surrogates(value: Any) -> Any:
    # JSON may spell half a character; no text of ours may hold one.
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def as_text(value: Any) -> str | None:
    """A value of JSON as text: a number as printed, null as None, anything else as JSON; at most 2,000 characters."""
    if value is None:
        return None
    if isinstance(value, str):
        return value[:_MAX_VALUE]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        # Money is printed without an exponent; what is no money anyway may keep it.
        return format(value, "f") if -20 < value.adjusted() < 20 else str(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, default=str)[:_MAX_VALUE]


def number_of(text: str | None) -> Decimal | None:
    """The number that a text spells, also as a fraction ("1/4"); None where it spells none or one that is not finite."""
    if text is None:
        return None
    above, _, below = text.strip().partition("/")
    try:
        found = Decimal(above) / Decimal(below or "1")
    except (InvalidOperation, ZeroDivisionError):
        return None
    return found if found.is_finite() else None


def field_of(item: Any, path: str) -> Any:
    """The value at a dotted path of an item, None where any part is absent."""
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def list_of(document: Any, path: str, what: str) -> list[Any]:
    """The list at a dotted path (`""` for the document itself). Raises ParseError."""
    found = field_of(document, path) if path else document
    if not isinstance(found, list):
        raise ParseError(f"{what}: {path or 'the answer'} is {type(found).__name__}, expected a list")
    return found


def text_rows(items: Sequence[Any], fields: Mapping[str, str], what: str, *, required: Sequence[str] = ()) -> pl.DataFrame:
    """Items as rows of text, columns by dotted path of the field. Raises ParseError where a required field is in none of the items."""
    table = {column: [as_text(field_of(item, path)) for item in items] for column, path in fields.items()}
    for column in required:
        if items and all(value is None for value in table[column]):
            raise ParseError(f"{what}: field {fields[column]} is in none of {len(items)} items")
    return pl.DataFrame(table, schema=dict.fromkeys(fields, pl.String))


def read_csv_text(content: bytes, what: str, columns: Mapping[str, str], *, optional: Sequence[str] = ()) -> pl.DataFrame:
    """A CSV's columns as text under our names, whatever their order; an empty field is NULL.

    A line with more or fewer fields than the header is a row of NULL: nobody knows which field is which, and the rules put it aside.
    Raises ParseError where a column is missing, and where the last line does not fit: there the answer was cut off.
    """
    schema = dict.fromkeys(columns.values(), pl.String)
    parts = [pl.DataFrame(schema=schema)]
    try:
        # Python's texts take ten times the room of polars': so many lines at a time.
        reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline=""), strict=True)
        header = next(reader, [])
        place = _places(header, what, columns, optional)
        lines, last = enumerate(reader, start=2), (1, header)
        while some := list(islice(lines, _LINES_AT_ONCE)):
            full = [(number, row) for number, row in some if row]
            last = full[-1] if full else last
            body = [row if len(row) == len(header) else [""] * len(header) for _, row in full]
            table = {
                ours: [None] * len(body) if at is None else [row[at][:_MAX_VALUE] or None for row in body] for ours, at in place.items()
            }
            parts.append(pl.DataFrame(table, schema=schema))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParseError(f"{what}: not readable as CSV in UTF-8: {fit_to_show(str(error))}") from error
    number, row = last
    if len(row) != len(header):
        raise ParseError(f"{what}, line {number}: {len(row)} fields, expected {len(header)}")
    return pl.concat(parts)


def _places(header: Sequence[str], what: str, columns: Mapping[str, str], optional: Sequence[str]) -> dict[str, int | None]:
    """Where each of our columns stands in a line, None for an optional one that is missing. Raises ParseError."""
    if len(header) > _MAX_COLUMNS:
        raise ParseError(f"{what}: {len(header):,} columns, expected at most {_MAX_COLUMNS}")
    for name, ours in columns.items():
        if name not in header and ours not in optional:
            raise ParseError(f"{what}: column {name} is missing; found {fit_to_show(', '.join(header))}")
    return {ours: header.index(name) if name in header else None for name, ours in columns.items()}
