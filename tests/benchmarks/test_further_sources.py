"""What a further source costs a refresh beyond its own fetch: two copies of the project side by side, one with many declared sources more.

On each day both have new answers of all made sources, stored before. To reach: 0.1 s for each further source. CPU seconds are compared,
since those of the wall are also those of whoever else runs, and of the days the least: what else runs only adds.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import duckdb

from tests.support.cli import SMALL_MARKET

from .made_sources import OFFERS, project_with, write_answers
from .made_year import LAST_DAY
from .markdown import table
from .measure import Cost, cost_of
from .scale import scale

REFRESH = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of"]
IMPORTS = [sys.executable, "-c", "import dagster, polars, duckdb"]
SCALE = scale()
# Small: beside two archives.
SETTINGS = {} if SCALE.is_timed else SMALL_MARKET
FEW, FURTHER = 2, 40
FIGURES = ("cpu_seconds", "seconds", "peak_mib", "written_mib")
MOST_TIMES_THE_IMPORTS = 0.1


def test_each_further_source(tmp_path: Path, page: list[str]) -> None:
    projects = {count: project_with(tmp_path / f"project-{count}", count) for count in (FEW, FEW + FURTHER)}
    costs: dict[int, list[Cost]] = {count: [] for count in projects}
    for number in range(SCALE.source_days + 1):
        day = LAST_DAY + timedelta(days=number)
        for count, project in projects.items():
            data = tmp_path / f"data-{count}"
            write_answers(data / "snapshots", day, count)
            cost = cost_of([*REFRESH, day.isoformat()], data, {**SETTINGS, "PYTHONPATH": str(project)})
            # The first day builds everything, and compiles the copy.
            if number:
                costs[count].append(cost)
    for count in projects:
        with duckdb.connect(str(tmp_path / f"data-{count}" / "published" / "breakeven.duckdb"), read_only=True) as connection:
            of_today = "SELECT count(*) FROM bi.price_today WHERE price_as_of_on = ? AND starts_with(provider, 'made')"
            assert connection.execute(of_today, [day]).fetchone() == (count * OFFERS,)
    imports = min(cost_of(IMPORTS, tmp_path).cpu_seconds for _ in range(SCALE.source_days))
    few, many = ([min(getattr(cost, name) for cost in found) for name in FIGURES] for found in costs.values())
    each = [(b - a) / FURTHER for a, b in zip(few, many, strict=True)]
    page.append(
        f"## A further source\n\nA day with new answers of {FEW} and of {FEW + FURTHER} made sources of {OFFERS} prices each, the least of"
        f" {SCALE.source_days} days. To reach: 0.1 s each beyond its own fetch. Each takes {each[0] / imports:.3f} times the CPU of"
        " `import dagster, polars, duckdb`.\n"
    )
    rows = [
        [name, f"{cpu:.2f} s", f"{seconds:.2f} s", f"{peak:.1f} MiB", f"{written:.2f} MiB"]
        for name, (cpu, seconds, peak, written) in zip(
            (f"{FEW} sources", f"{FEW + FURTHER} sources", "each further one"), (few, many, each), strict=True
        )
    ]
    page.append(table(["a day with", "CPU", "time", "peak", "written"], rows) + "\n")
    assert each[0] <= MOST_TIMES_THE_IMPORTS * imports
    if SCALE.is_timed:
        assert each[0] <= 0.1
