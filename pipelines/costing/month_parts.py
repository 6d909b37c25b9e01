"""A part of a long mart that is yet to be computed, and what its rows rest on.

Belongs here: naming a part by its month, and telling whether it would come out as another one did. Does not belong here: which parts a
mart has (its model, `days`), computing and keeping them (`pipelines.refresh.month_parts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class MonthPart:
    """Rows of one month: a function of a module, and all that it is given. Equal arguments make equal rows.

    `month` as `2026-11`. Frames are given to the function as lazy ones.
    """

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


def as_given(rows: pl.LazyFrame) -> pl.LazyFrame:
    """For a part whose rows are computed already."""
    return rows


def _content(frame: pl.DataFrame) -> bytes:
    hashes = frame.hash_rows() if frame.height else pl.Series(dtype=pl.UInt64)
    return repr(list(frame.schema.items())).encode() + hashes.to_numpy().tobytes()
