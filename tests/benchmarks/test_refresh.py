"""What a warm refresh of the archive costs: wall time, peak memory, and how much of either is imports.

To reach: 30 s and 1 GiB on 2 cores. `make bench` prints it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .measure import cost_of
from .scale import scale

IMPORTS = "import pipelines.cli.main, pipelines.cli.job, pipelines.definitions, great_expectations, altair; pipelines.definitions.defs()"
NOTHING_NEW = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of", "2026-11-23"]


def test_warm_refresh(tmp_path: Path) -> None:
    runs = {
        "first": cost_of(NOTHING_NEW, tmp_path),
        "rebuilt": cost_of([*NOTHING_NEW, "--rebuild"], tmp_path),
        "nothing new": cost_of(NOTHING_NEW, tmp_path),
        "imports alone": cost_of([sys.executable, "-c", IMPORTS], tmp_path),
    }
    rebuilt, imports = runs["rebuilt"], runs["imports alone"]
    print(f"\n{'refresh of the archive':<24}{'seconds':>9}{'peak MiB':>10}{'of rebuilt':>12}")
    for name, cost in runs.items():
        print(f"{name:<24}{cost.seconds:>9.1f}{cost.peak_mib:>10.0f}{cost.seconds / rebuilt.seconds:>12.0%}")
    time_share, memory_share = imports.seconds / rebuilt.seconds, imports.peak_mib / rebuilt.peak_mib
    print(f"share of imports: {time_share:.0%} of the time, {memory_share:.0%} of the peak memory")
    if scale().is_timed:
        assert rebuilt.seconds <= 30
    assert rebuilt.peak_mib <= 1024
