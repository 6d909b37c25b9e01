"""How large the benchmarks are: as the page has them, or small, for what they assert besides times.

Belongs here: sizes. Does not belong here: bounds, which stand with what is measured.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True)
class Scale:
    """`changes`: of the rolling windows, the last one is held to the bounds; `histories`: days under a day's refresh of the history;
    `refreshes`: days under a whole refresh, and how many of them are fetched at once; `replayed_days`; `stored_changes`: of the file;
    `divided_days`: on several workers, the last of them told by the others; `workers`.
    """

    changes: tuple[int, ...]
    histories: tuple[int, ...]
    refreshes: tuple[tuple[int, int], ...]
    replayed_days: int
    stored_changes: int
    divided_days: tuple[int, ...]
    workers: tuple[int, ...]
    is_timed: bool


WHOLE = Scale(
    (1 * MILLION, 10 * MILLION, 50 * MILLION),
    (50, 100, 400),
    ((50, 50), (400, 347)),
    426,
    10 * MILLION,
    (15, 30, 60, 120),
    (1, 2, 4),
    is_timed=True,
)
SMALL = Scale((MILLION // 10, MILLION // 5), (5, 10), ((3, 3), (9, 3)), 30, MILLION // 2, (2, 3, 4), (2,), is_timed=False)


def scale() -> Scale:
    """The small one where `BREAKEVEN_BENCH=small`."""
    return SMALL if os.environ.get("BREAKEVEN_BENCH") == "small" else WHOLE
