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
    `divided_days`: on several workers, the last of them told by the others; `workers`;
    `year_series`, `year_days`, `year_refreshes`: series of the made year, days under a refresh, how many refreshes follow them;
    `mart_series`, `mart_days`: of the version whose marts are made in other ways too;
    `backfills`: days that are taken in at once; `new_machines`: of one list;
    `source_days`: with and without further sources.
    """

    changes: tuple[int, ...]
    histories: tuple[int, ...]
    refreshes: tuple[tuple[int, int], ...]
    replayed_days: int
    stored_changes: int
    divided_days: tuple[int, ...]
    workers: tuple[int, ...]
    year_series: int
    year_days: tuple[int, ...]
    year_refreshes: int
    mart_series: int
    mart_days: int
    backfills: tuple[int, int]
    new_machines: int
    source_days: int
    is_timed: bool


WHOLE = Scale(
    changes=(1 * MILLION, 10 * MILLION, 50 * MILLION),
    histories=(50, 100, 400),
    refreshes=((50, 50), (400, 347)),
    replayed_days=426,
    stored_changes=10 * MILLION,
    divided_days=(15, 30, 60, 120),
    workers=(1, 2, 4),
    year_series=50_000,
    year_days=(30, 365),
    year_refreshes=3,
    mart_series=5_000,
    mart_days=60,
    backfills=(100, 365),
    new_machines=320_000,
    source_days=5,
    is_timed=True,
)
SMALL = Scale(
    changes=(MILLION // 10, MILLION // 5),
    histories=(5, 10),
    refreshes=((3, 3), (9, 3)),
    replayed_days=30,
    stored_changes=MILLION // 2,
    divided_days=(2, 3, 4),
    workers=(2,),
    year_series=400,
    year_days=(4,),
    year_refreshes=1,
    mart_series=400,
    mart_days=4,
    backfills=(10, 40),
    new_machines=20_000,
    source_days=2,
    is_timed=False,
)


def scale() -> Scale:
    """The small one where `BREAKEVEN_BENCH=small`."""
    return SMALL if os.environ.get("BREAKEVEN_BENCH") == "small" else WHOLE
