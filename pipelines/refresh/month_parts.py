"""Parts of a mart by month: found where they were computed before, else computed, checked and kept.

Belongs here: which parts need not be computed, and the files that hold them. Does not belong here: what a part rests on (its model,
`pipelines.costing.days`, `pipelines.history.materialize`), writing one file (`parts`), publishing (`pipelines.publication`).

A part is kept under the hash of the code and of all that its rows rest on, with the verdicts of its rules. So a month of which nothing
changed is not computed again, and its file is the one that is published already. Its rows are judged again once a week.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby, starmap
from pathlib import Path
from zlib import crc32

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.publication.parts import WHOLE, Part, sha256_of
from pipelines.quality.results import RuleResult, merged
from pipelines.refresh.part_verdicts import PartVerdicts, verdicts_on
from pipelines.refresh.parts import read_in_pieces, write_parts

_KEY_DIGITS = 16
_DAYS_BETWEEN_CHECKS = 7


@dataclass(frozen=True)
class PlannedPart:
    """A part that may have been computed before: its name, a hash of all that its rows rest on, and its rows, not computed yet."""

    name: str
    rests_on: str
    rows: Callable[[], Iterable[pl.LazyFrame]]


@dataclass(frozen=True)
class MadeParts:
    """The parts of a mart, and the verdicts on all of their rows."""

    parts: list[Part]
    results: list[RuleResult]

    @property
    def blocks(self) -> bool:
        """True where a verdict must stop what is downstream."""
        return any(result.blocks for result in self.results)


@dataclass(frozen=True)
class _KeptPart:
    """A part that was computed before, the verdicts on its rows, and the day on which they were judged last."""

    part: Part
    results: list[RuleResult]
    checked_on: date

    def is_due(self, today: date) -> bool:
        """True where the rows are to be judged again: each part has its day of the week, so that no day has all of them."""
        days = (crc32(self.part.name.encode()) - self.checked_on.toordinal()) % _DAYS_BETWEEN_CHECKS or _DAYS_BETWEEN_CHECKS
        # A day that is yet to come is that of another clock.
        return not self.checked_on <= today < self.checked_on + timedelta(days)


@dataclass(frozen=True)
class MonthPart:
    """Rows of one month as a model yields them: a function of a module, and all that it is given."""

    month: str
    function: Callable[..., pl.LazyFrame]
    arguments: Mapping[str, pl.DataFrame | date | None]

    def __post_init__(self) -> None:
        if getattr(self.function, "__closure__", None):
            raise TypeError(f"{self.function.__qualname__} reads what it is not given, expected a function of a module")

    def rows(self) -> pl.LazyFrame:
        """The plan of the rows."""
        given = {name: value.lazy() if isinstance(value, pl.DataFrame) else value for name, value in self.arguments.items()}
        return self.function(**given)

    def rests_on(self) -> str:
        """A hash of all arguments, equal for equal ones in any run. Frames with the same rows in another order differ."""
        digest = hashlib.sha256(f"{self.month} {self.function.__module__}.{self.function.__qualname__}".encode())
        for name, value in sorted(self.arguments.items()):
            digest.update(f"\n{name} ".encode())
            digest.update(_content(value) if isinstance(value, pl.DataFrame) else repr(value).encode())
        return digest.hexdigest()


def _content(frame: pl.DataFrame) -> bytes:
    hashes = frame.hash_rows() if frame.height else pl.Series(dtype=pl.UInt64)
    return repr(list(frame.schema.items())).encode() + hashes.to_numpy().tobytes()


def planned(parts: Iterable[tuple[str, Callable[..., pl.LazyFrame], Mapping[str, pl.DataFrame | date | None]]]) -> Iterator[PlannedPart]:
    """What a model yields in the order of months, as one part for each month."""
    for month, group in groupby(starmap(MonthPart, parts), key=lambda part: part.month):
        own = list(group)
        rests_on = hashlib.sha256("".join(part.rests_on() for part in own).encode()).hexdigest()
        yield PlannedPart(month, rests_on, partial(_rows, own))


def _rows(parts: list[MonthPart]) -> Iterator[pl.LazyFrame]:
    return (part.rows() for part in parts)


class PartStore:
    """The parts of one mart in a folder, each a Parquet file with what is known of it beside it.

    `code`: a hash of the code; `today`: the day on which parts are judged, whatever day is computed for; `anew`: all parts are computed
    and judged, those of before too.
    """

    def __init__(self, folder: Path, contract: Contract, code: str, today: date, *, anew: bool = False) -> None:
        self._folder, self._contract, self._code, self._today, self._anew = folder, contract, code, today, anew

    def made(self, parts: Iterable[PlannedPart]) -> MadeParts:
        """All parts that have rows, those computed that are not there; what else is there is removed. Raises ContractError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        verdicts, kept, judged = PartVerdicts(self._contract), [], []
        for one in parts:
            known = None if self._anew else _kept(one.name, self._file(one))
            if known is None:
                judged.append(self._written(one, partial(verdicts.judge, one.name)))
            elif known.is_due(self._today):
                for rows in read_in_pieces(self._contract, known.part.file):
                    verdicts.judge(one.name, rows)
                judged.append(known.part)
            else:
                kept.append((known.part, known.results))
        verdicts.finished()
        made = [*kept, *(self._keep(part, verdicts.of(part.name)) for part in judged)]
        # What a published version holds is its own by now.
        for stray in {*self._folder.iterdir()} - {p.file for p, _ in made} - {_known_of(p.file) for p, _ in made}:
            stray.unlink()
        with_rows = sorted((part for part, _ in made if part.rows), key=lambda part: part.name)
        return MadeParts(with_rows, merged(results for _, results in made)) if with_rows else self._empty()

    def _empty(self) -> MadeParts:
        # That a month has no rows is no fault; that none has any may be one.
        rows = pl.DataFrame(schema=self._contract.polars_schema())
        part = self._written(PlannedPart(WHOLE, "", lambda: [rows.lazy()]), lambda _: None)
        return MadeParts([part], verdicts_on(self._contract, rows))

    def _written(self, part: PlannedPart, seen: Callable[[pl.DataFrame], None]) -> Part:
        file = self._file(part)
        rows = write_parts(self._contract, part.rows(), file, seen)
        return Part(part.name, file, rows, sha256_of(file))

    def _keep(self, part: Part, results: list[RuleResult]) -> tuple[Part, list[RuleResult]]:
        """Note what is known of a part, so that another refresh finds it; one on which a verdict blocks is computed again."""
        if any(result.blocks for result in results):
            _known_of(part.file).unlink(missing_ok=True)
            return part, results
        found = [asdict(result) for result in results]
        known = {"rows": part.rows, "sha256": part.sha256, "checked_on": self._today.isoformat(), "results": found}
        # Whether both came to disk whole is seen when they are read.
        _known_of(part.file).write_text(json.dumps(known), encoding="utf-8")
        return part, results

    def _file(self, part: PlannedPart) -> Path:
        key = hashlib.sha256(f"{self._code} {self._contract.table} {part.name} {part.rests_on}".encode()).hexdigest()
        return self._folder / f"{part.name or 'whole'}-{key[:_KEY_DIGITS]}.parquet"


def _known_of(file: Path) -> Path:
    return file.with_suffix(".json")


def _kept(name: str, file: Path) -> _KeptPart | None:
    """A part that was computed before; None where it was not, or is not whole any more: its file is that of published versions, too."""
    try:
        known = json.loads(_known_of(file).read_bytes())
        if sha256_of(file) != known["sha256"]:
            return None
        part, results = Part(name, file, known["rows"], known["sha256"]), [RuleResult(**result) for result in known["results"]]
        return _KeptPart(part, results, date.fromisoformat(known["checked_on"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
