"""What a refresh of the archive costs whatever there is to compute: nothing new, a new day, all of it anew, beside the bare imports.

To reach: with nothing new 2.5 times the import of dagster, polars and duckdb; 30 s and 1 GiB for all of it on 2 cores. CPU seconds are
compared, since those of the wall are also those of whoever else runs.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from .measure import Cost, cost_of
from .scale import scale

IMPORTS = [sys.executable, "-c", "import dagster, polars, duckdb"]
REFRESH = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of"]
RUNS = 5


def test_fixed_costs(tmp_path: Path, page: list[str]) -> None:
    found: dict[str, list[Cost]] = {"the first refresh": [cost_of([*REFRESH, "2026-11-23"], tmp_path)]}
    found["all of it anew"] = [cost_of([*REFRESH, "2026-11-23", "--rebuild"], tmp_path)]
    found["a new day"] = [cost_of([*REFRESH, "2026-11-24"], tmp_path)]
    found["nothing new"], found["imports alone"] = [], []
    # One after the other, so that what else the machine does meets both.
    for _ in range(RUNS):
        found["nothing new"].append(cost_of([*REFRESH, "2026-11-24"], tmp_path))
        found["imports alone"].append(cost_of(IMPORTS, tmp_path))
    computed = {name: statistics.median(cost.cpu_seconds for cost in costs) for name, costs in found.items()}
    times = {name: seconds / computed["imports alone"] for name, seconds in computed.items()}
    page.append(
        "## Fixed costs of a refresh\n\nThe archive without network. Times are of CPU seconds against `import dagster, polars, duckdb`; 2.5"
        f" were to be reached with nothing new, which is the median of {RUNS} as the imports are. The new day brings no new prices.\n"
    )
    page.append("| refresh | times the imports | CPU | time | peak | written |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, costs in found.items():
        seconds = statistics.median(cost.seconds for cost in costs)
        peak, written = (max(getattr(cost, what) for cost in costs) for what in ("peak_mib", "written_mib"))
        page.append(f"| {name} | {times[name]:.1f} | {computed[name]:.1f} s | {seconds:.1f} s | {peak:.0f} MiB | {written:.0f} MiB |")
    assert times["nothing new"] <= 2.5
    [anew] = found["all of it anew"]
    assert anew.peak_mib <= 1024
    if scale().is_timed:
        assert anew.seconds <= 30
