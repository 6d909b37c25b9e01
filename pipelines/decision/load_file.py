"""Hours of load from a CSV as programs and spreadsheets save it.

Belongs here: separators, signs of decimals and of thousands, the order of hours that are named, and refusing with line and value what can
be read in two ways. Does not belong here: what is done with the load.
"""

from __future__ import annotations

import csv
import io
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipelines.decision.documents import WorkloadError, decoded, read_bytes

HOURS_PER_DAY, HOURS_PER_YEAR = 24, 8760
CSV_COLUMN = "output_tokens_per_hour"
# Columns that say which hour a row is; the others are nobody's business.
HOUR_COLUMNS = ("hour", "heure", "time", "timestamp", "datetime")
LARGEST_CSV_BYTES = 8 * 1024 * 1024
# Some hundred times the largest load that is served anywhere; beyond it stands a mistake of unit.
MOST_TOKENS_PER_HOUR = 1e13
LENGTHS = {HOURS_PER_DAY: "a day", 7 * HOURS_PER_DAY: "a week", HOURS_PER_YEAR: "a year"}
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}(:[0-9]{2}){0,2}([.][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_SPACED = re.compile(r"[0-9]{1,3}([ \u00a0\u2007\u2009\u202f'\u2019\u02bc][0-9]{3})+(?=[.,]|$)")


def read_load(folder: Path, name: str) -> np.ndarray:
    """A year of output tokens per hour from a file in `folder`; a day or a week is repeated. Raises WorkloadError."""
    path = folder / name
    if "\0" in name:
        raise WorkloadError(f"load.csv is {name!r}, expected the name of a file")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise WorkloadError(f"load.csv is {name!r}, expected a file in the folder of the workload, {folder}")
    text = decoded(read_bytes(path, LARGEST_CSV_BYTES, "of hours of load"), path)
    cells = _cells(text, path)
    values = _numbers(cells, path)
    if len(cells) not in LENGTHS:
        hint = "; leave out 29 February" if len(cells) == HOURS_PER_YEAR + HOURS_PER_DAY else ""
        if len(cells) - 1 in LENGTHS:
            hint = f"; leave out line {cells[-1][0]} if it is a total"
        raise WorkloadError(f"{path}: {len(cells)} hours, expected a year (8760), a week (168) or a day (24){hint}")
    if max(values) == 0:
        raise WorkloadError(f"{path}: {CSV_COLUMN} is 0 in every hour, expected a load")
    return np.resize(np.asarray(values), HOURS_PER_YEAR)


def _cells(text: str, path: Path) -> list[tuple[int, str]]:
    """The column's texts with their lines."""
    # A line may end in a carriage return alone, as spreadsheets of Macs write it.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    said = re.fullmatch(r"sep=(.)\s*", lines[0]) if lines else None
    separator = said.group(1) if said else next((s for s in (";", "\t", ",") if s in (lines[0] if lines else "")), ",")
    rows = csv.reader(io.StringIO("".join(lines[1:] if said else lines)), delimiter=separator, strict=True)
    skipped = 1 if said else 0
    try:
        names = [cell.strip() for cell in next(rows, [])]
        if not any(names):
            raise WorkloadError(f"{path}: has no first line, expected one that names {CSV_COLUMN}")
        # A file that is no load is not quoted: it may hold what is nobody's business.
        if names.count(CSV_COLUMN) != 1:
            has = "more than once" if CSV_COLUMN in names else "not"
            where = f"{path}: line {rows.line_num + skipped}"
            raise WorkloadError(f"{where}: the column is {has} named in it, expected {CSV_COLUMN} once")
        at = names.index(CSV_COLUMN)
        hour_at = next((n for n, name in enumerate(names) if name.lower() in HOUR_COLUMNS), None)
        found: list[tuple[int, str]] = []
        hours: list[tuple[int, str]] = []
        blank: int | None = None
        for row in rows:
            line = rows.line_num + skipped
            if not any(cell.strip() for cell in row):
                blank = blank or line
                continue
            if blank is not None:
                raise WorkloadError(f"{path}: line {blank}: is empty, expected {CSV_COLUMN} of an hour (0 where nothing is asked for)")
            if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
                hint = "; write numbers without separators of thousands, or in quotes" if separator == "," else ""
                raise WorkloadError(f"{path}: line {line}: has {len(row)} fields, expected {len(names)} as in the first line{hint}")
            found.append((line, row[at].strip()))
            if hour_at is not None:
                hours.append((line, row[hour_at].strip()))
    except csv.Error as error:
        raise WorkloadError(f"{path}: line {rows.line_num + skipped}: is no CSV: {error}") from error
    _refuse_another_order(hours, path)
    return found


def _refuse_another_order(hours: list[tuple[int, str]], path: Path) -> None:
    """Rows are taken as they stand: one that names an earlier hour than the row before would shift the load in silence."""
    if len({text for _, text in hours}) < HOURS_PER_DAY - 1:
        return  # whatever it says, it does not number the hours
    follows = [(line, text, before) for (_, before), (line, text) in pairwise(hours)]
    if all(re.fullmatch("[0-9]{1,5}", text) for _, text in hours):
        # Hours are counted through the file, or anew each day.
        steps = [(line, text, int(text) - int(before)) for line, text, before in follows]
        odd = [(line, text, step) for line, text, step in steps if step not in (1, 1 - HOURS_PER_DAY)]
    elif all(_MOMENT.fullmatch(text) for _, text in hours):
        # As a clock on the wall shows it: where clocks go back, the distance to UTC is what tells the two hours apart.
        odd = [(line, text, 0 if text[:16] == before[:16] else -1) for line, text, before in follows if text[:16] <= before[:16]]
    else:
        return
    # Where clocks are changed, a year has one hour twice and one not at all.
    may_be = [0, 2] if len(hours) > 7 * HOURS_PER_DAY else []
    for line, text, step in odd:
        if step not in may_be:
            raise WorkloadError(f"{path}: line {line}: is hour {_cut(text)}, expected the one after that of the line before")
        may_be.remove(step)


def _numbers(cells: list[tuple[int, str]], path: Path) -> list[float]:
    decimal = _decimal_sign(cells, path)
    return [_number(line, text, decimal, path) for line, text in cells]


def _decimal_sign(cells: list[tuple[int, str]], path: Path) -> str:
    """`.` or `,`, by the cells that leave no choice; one that can be read in two ways is refused where none does."""
    proof: dict[str, tuple[int, str]] = {}
    doubtful: tuple[int, str] | None = None
    for line, text in cells:
        if "," not in text and text.count(".") < 2:
            continue
        commas, dots = text.count(","), text.count(".")
        if commas and dots:
            sign = max(",.", key=text.rfind)
        elif commas + dots > 1:
            sign = "." if commas else ","
        elif re.fullmatch(r"[0-9]{1,3},[0-9]{3}", text) and text[0] != "0":
            doubtful = doubtful or (line, text)
            continue
        else:
            sign = ","
        proof.setdefault(sign, (line, text))
    if len(proof) > 1:
        (one, first), (other, second) = sorted(proof.values())
        raise WorkloadError(
            f"{path}: line {other}: {CSV_COLUMN} is {_cut(second)} beside {_cut(first)} in line {one}, expected one way to write numbers"
        )
    sign = next(iter(proof), ".")
    if doubtful is not None and not proof:
        as_thousands, as_decimal = doubtful[1].replace(",", ""), doubtful[1].replace(",", ".")
        raise WorkloadError(
            f"{path}: line {doubtful[0]}: {CSV_COLUMN} is {_cut(doubtful[1])}, which may be {as_thousands} or {as_decimal}; "
            "expected a number without separators of thousands"
        )
    if sign == "." and not proof:
        _refuse_dots_of_thousands(cells, path)
    return sign


def _refuse_dots_of_thousands(cells: list[tuple[int, str]], path: Path) -> None:
    """Where every dot has three digits behind it, as in 1.234 and 40.000, it may stand for thousands."""
    dotted = [(line, text) for line, text in cells if "." in text]
    if dotted and all(re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", text) for _, text in dotted):
        line, text = dotted[0]
        raise WorkloadError(
            f"{path}: line {line}: {CSV_COLUMN} is {_cut(text)}, which may be {text.replace('.', '')} or {float(text):g}; "
            "expected a number without separators of thousands"
        )


def _number(line: int, text: str, decimal: str, path: Path) -> float:
    thousands = "," if decimal == "." else "."
    plain = _SPACED.sub(lambda match: re.sub(r"[^0-9]", "", match.group()), text)
    if re.fullmatch(rf"[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+({re.escape(decimal)}[0-9]*)?", plain):
        plain = plain.replace(thousands, "")
    if decimal == ",":
        plain = "in two ways" if "." in plain else plain.replace(",", ".")
    value = float(plain) if _PLAIN.fullmatch(plain) else math.nan
    if not value <= MOST_TOKENS_PER_HOUR:
        raise WorkloadError(f"{path}: line {line}: {CSV_COLUMN} is {_cut(text)}, expected a number from 0 to {MOST_TOKENS_PER_HOUR:g}")
    return value


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
