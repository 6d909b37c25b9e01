"""Hours of load from a CSV as programs and spreadsheets save it.

Belongs here: separators, signs of decimals and of thousands, and refusing with line and value what can be read in two ways. Does not
belong here: which hour a row is (`load_hours`), what is done with the load.
"""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import numpy as np

from pipelines.decision.documents import WorkloadError, decoded, read_bytes
from pipelines.decision.load_hours import HOUR_COLUMNS, refuse_another_order
from pipelines.platform.text import fit_to_show

HOURS_PER_DAY, HOURS_PER_YEAR = 24, 8760
CSV_COLUMN = "output_tokens_per_hour"
SEPARATORS = ";\t,"
Column = list[tuple[int, str]]
LARGEST_CSV_BYTES = 8 * 1024 * 1024
# Some hundred times the largest load that is served anywhere; beyond it stands a mistake of unit.
MOST_TOKENS_PER_HOUR = 1e13
LENGTHS = {HOURS_PER_DAY: "a day", 7 * HOURS_PER_DAY: "a week", HOURS_PER_YEAR: "a year"}
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_SPACED = re.compile(r"[0-9]{1,3}([ \u00a0\u2007\u2009\u202f'\u2019\u02bc][0-9]{3})+(?=[.,]|$)")


def read_load(workload: Path, name: str) -> np.ndarray:
    """A year of output tokens per hour from a file beside the workload's; a day or a week is repeated. Raises WorkloadError."""
    folder = workload.parent
    path = folder / name
    if "\0" in name:
        raise WorkloadError(f"{workload}: load.csv is {name!r}, expected the name of a file")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise WorkloadError(f"{workload}: load.csv is {fit_to_show(repr(name))}, expected a file in the folder of the workload")
    text = decoded(read_bytes(path, LARGEST_CSV_BYTES, "of hours of load"), path)
    cells, hours = _cells(text, path)
    values = _numbers(cells, path)
    if len(cells) not in LENGTHS:
        hint = "; leave out 29 February" if len(cells) == HOURS_PER_YEAR + HOURS_PER_DAY else ""
        if len(cells) - 1 in LENGTHS:
            hint = f"; leave out line {cells[-1][0]} if it is a total"
        raise WorkloadError(f"{path}: {len(cells)} hours, expected a year (8760), a week (168) or a day (24){hint}")
    for column in hours:
        refuse_another_order(column, path)
    if max(values) == 0:
        raise WorkloadError(f"{path}: {CSV_COLUMN} is 0 in every hour, expected a load")
    return np.resize(np.asarray(values), HOURS_PER_YEAR)


def _cells(text: str, path: Path) -> tuple[Column, list[Column]]:
    """The column's texts with their lines, and those of the columns that say which hour a row is."""
    # A line may end in a carriage return alone, as spreadsheets of Macs write it.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    first, separator = _names_at(lines, path)
    header = lines[first].lstrip("# ")
    rows = csv.reader(io.StringIO("".join([header, *lines[first + 1 :]])), delimiter=separator, strict=True)
    found: Column = []
    columns: list[Column] = []
    try:
        names = [_plain(cell) for cell in next(rows)]
        if names.count(CSV_COLUMN) != 1:
            raise WorkloadError(f"{path}: line {first + 1}: the column is more than once named in it, expected {CSV_COLUMN} once")
        at = names.index(CSV_COLUMN)
        hours_at = [n for n, name in enumerate(names) if name in HOUR_COLUMNS]
        columns = [[] for _ in hours_at]
        blank: int | None = None
        for row in rows:
            line = rows.line_num + first
            if not any(cell.strip() for cell in row):
                blank = blank or line
                continue
            if blank is not None:
                raise WorkloadError(f"{path}: line {blank}: is empty, expected {CSV_COLUMN} of an hour (0 where nothing is asked for)")
            if row[0].startswith("#"):
                raise WorkloadError(f"{path}: line {line}: is a comment, expected an hour; comments stand before the line of names")
            if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
                hint = "; write numbers without separators of thousands, or in quotes" if separator == "," else ""
                raise WorkloadError(f"{path}: line {line}: has {len(row)} fields, expected {len(names)} as in the line of names{hint}")
            found.append((line, row[at].strip()))
            for column, hour_at in zip(columns, hours_at, strict=True):
                column.append((line, row[hour_at].strip()))
    except csv.Error as error:
        raise WorkloadError(f"{path}: line {rows.line_num + first}: is no CSV: {error}") from error
    return found, columns


def _names_at(lines: list[str], path: Path) -> tuple[int, str]:
    """Where the line of names is, and what separates its fields: comments, empty lines and a spreadsheet's `sep=` may stand before it."""
    separator: str | None = None
    for number, line in enumerate(lines):
        said = re.fullmatch(r"sep=(.)\s*", line)
        if said:
            separator = said[1]
            continue
        split_by = separator or next((s for s in SEPARATORS if s in line), ",")
        # As numpy and gnuplot write them, names may be a comment themselves.
        if CSV_COLUMN in map(_plain, line.lstrip("# ").split(split_by)):
            return number, split_by
        if line.strip() and not line.startswith("#"):
            # A file that is no load is not quoted: it may hold what is nobody's business.
            hint = "; fields are separated by commas, semicolons or tabs" if CSV_COLUMN in line else ""
            raise WorkloadError(f"{path}: line {number + 1}: the column is not named in it, expected {CSV_COLUMN} once{hint}")
    raise WorkloadError(f"{path}: has no first line, expected one that names {CSV_COLUMN}")


def _plain(name: str) -> str:
    return name.strip().strip('"').strip().lower()


def _numbers(cells: Column, path: Path) -> list[float]:
    decimal = _decimal_sign(cells, path)
    return [_number(line, text, decimal, path) for line, text in cells]


def _decimal_sign(cells: Column, path: Path) -> str:
    """`.` or `,`, by the cells that leave no choice; one that can be read in two ways is refused where none does."""
    proof: dict[str, tuple[int, str]] = {}
    doubtful: tuple[int, str] | None = None
    for line, text in cells:
        commas, dots = text.count(","), text.count(".")
        if not text[:1].isdigit() or not commas + dots:
            continue
        if commas and dots:
            sign = max(",.", key=text.rfind)
        elif commas + dots > 1:
            sign = "." if commas else ","
        elif re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", text):
            doubtful = doubtful or (line, text)
            continue
        else:
            sign = "," if commas else "."
        proof.setdefault(sign, (line, text))
    if len(proof) > 1:
        (one, first), (other, second) = sorted(proof.values())
        raise WorkloadError(
            f"{path}: line {other}: {CSV_COLUMN} is {_cut(second)} beside {_cut(first)} in line {one}, expected one way to write numbers"
        )
    if doubtful is not None and not proof:
        line, text = doubtful
        raise WorkloadError(
            f"{path}: line {line}: {CSV_COLUMN} is {_cut(text)}, which may be {re.sub('[.,]', '', text)} or {text.replace(',', '.')}; "
            "expected a number without separators of thousands"
        )
    return next(iter(proof), ".")


def _number(line: int, text: str, decimal: str, path: Path) -> float:
    thousands = "," if decimal == "." else "."
    plain = _SPACED.sub(lambda match: re.sub(r"[^0-9]", "", match.group()), text)
    if re.fullmatch(rf"[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+({re.escape(decimal)}[0-9]*)?", plain):
        plain = plain.replace(thousands, "")
    plain = plain.replace(decimal, ".")
    value = float(plain) if _PLAIN.fullmatch(plain) else math.nan
    if not value <= MOST_TOKENS_PER_HOUR:
        raise WorkloadError(f"{path}: line {line}: {CSV_COLUMN} is {_cut(text)}, expected a number from 0 to {MOST_TOKENS_PER_HOUR:g}")
    return value


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
