"""Which hour a row of a load file is, where a column says so.

Belongs here: hours as programs and spreadsheets write them, and whether each row is the hour after the one before. Does not belong here:
the load itself (`load_file`). Rows are taken as they stand: one out of its place would shift the load in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pipelines.decision.documents import WorkloadError
from pipelines.platform.text import fit_to_show

# Columns that say which hour a row is; the others are nobody's business.
HOUR_COLUMNS = ("hour", "heure", "time", "timestamp", "datetime", "horodatage")
MINUTES_PER_HOUR, MINUTES_PER_DAY, HOURS_PER_DAY = 60, 1440, 24
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
FORMS = "hours counted from 0 or 1, 13:00, 2026-01-15T13:00 or seconds since 1970"
_COUNT = re.compile(r"([0-9]{1,5})(?:[.,]0+)?")
_CLOCK = re.compile(r"([0-9]{1,2})(?::([0-9]{2})(?::[0-9]{2})?| ?h)(?: ?([ap])\.?m\.?)?", re.IGNORECASE)
_SLASHES = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})[ T]+(.+)")
_SECONDS = re.compile(r"([0-9]{10})(?:\.[0-9]+|[0-9]{3})?")

Read = int | datetime | None


def refuse_another_order(hours: Sequence[tuple[int, str]], path: Path) -> None:
    """Raises WorkloadError for the first row, by its line, that is not the hour after the row before."""
    texts = [text for _, text in hours]
    if len(set(texts)) < HOURS_PER_DAY - 1:
        return  # whatever it says, it does not tell the hours apart
    readings = [[read(text) for text in texts] for read in _READINGS]
    fullest = max(readings, key=lambda found: len(found) - found.count(None))
    if None in fullest:
        line, text = hours[fullest.index(None)]
        raise WorkloadError(f"{path}: line {line}: is hour {fit_to_show(repr(text), 40)}, expected {FORMS}")
    odd = [_first_odd(found) for found in readings if None not in found]
    numbers = [number for number in odd if number is not None]
    if len(numbers) == len(odd):
        line, text = hours[numbers[0]]
        before = texts[numbers[0] - 1]
        raise WorkloadError(f"{path}: line {line}: is hour {text!r}, expected the one after that of the line before, {before!r}")


def _first_odd(found: Sequence[Read]) -> int | None:
    """The first row that is not an hour after the one before; None where each is."""
    # Where clocks are changed, a year has one hour twice and one not at all.
    may_be = [0, 2 * MINUTES_PER_HOUR] if len(found) * MINUTES_PER_HOUR > MINUTES_PER_WEEK else []
    for number, (before, after) in enumerate(pairwise(found), 1):
        step = _minutes_between(before, after)
        if step == MINUTES_PER_HOUR:
            continue
        if step not in may_be:
            return number
        may_be.remove(step)
    return None


def _minutes_between(before: Read, after: Read) -> int:
    if isinstance(before, datetime) and isinstance(after, datetime):
        minutes = round((after - before).total_seconds() / 60)
        # A year of 8760 hours leaves the leap day out.
        leaps = any((day.month, day.day) == (2, 29) for day in (before, before + timedelta(days=1)))
        return minutes - MINUTES_PER_DAY if leaps and minutes == MINUTES_PER_DAY + MINUTES_PER_HOUR else minutes
    assert isinstance(before, int) and isinstance(after, int)
    # Hours may be counted through the file, or anew each day: from 0 or from 1, or as a clock shows them.
    return after - before + (MINUTES_PER_DAY if after - before == MINUTES_PER_HOUR - MINUTES_PER_DAY else 0)


def _count(text: str) -> Read:
    found = _COUNT.fullmatch(text)
    return int(found[1]) * MINUTES_PER_HOUR if found else None


def _clock(text: str) -> Read:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3].lower() == "p" else 0)
    return hour * MINUTES_PER_HOUR + minute


def _iso(text: str) -> Read:
    year_first = text.replace("/", "-")
    try:
        found = datetime.fromisoformat(year_first) if "-" in year_first else None
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found is not None and found.tzinfo else found


def _seconds(text: str) -> Read:
    found = _SECONDS.fullmatch(text)
    return datetime.fromtimestamp(int(found[1]), UTC).replace(tzinfo=None) if found else None


def _slashes(text: str, day: int, month: int) -> Read:
    found = _SLASHES.fullmatch(text)
    clock = _clock(found[4]) if found else None
    if found is None or not isinstance(clock, int):
        return None
    try:
        return datetime(int(found[3]), int(found[month]), int(found[day])) + timedelta(minutes=clock)
    except ValueError:
        return None


# The day before the month, and the month before the day: the one that is in order is meant.
_READINGS: tuple[Callable[[str], Read], ...] = (
    _count,
    _clock,
    _iso,
    _seconds,
    lambda text: _slashes(text, 1, 2),
    lambda text: _slashes(text, 2, 1),
)
