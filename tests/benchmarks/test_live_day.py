"""What the first connected days cost: a made day of three large services on top of the archive, and a second one on top of that.

To reach: 1 GiB at most. `make bench` prints it.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import duckdb

from .live_day import write_day
from .measure import cost_of

FIRST = dt.date(2026, 11, 24)
REFRESH = [str(Path(sys.executable).parent / "breakeven"), "refresh", "--offline", "--as-of"]


def test_a_day_of_the_whole_market(tmp_path: Path) -> None:
    print(f"\n{'day of the whole market':<26}{'prices':>9}{'seconds':>9}{'peak MiB':>10}{'written MiB':>13}")
    for day in (FIRST, FIRST + dt.timedelta(days=1)):
        prices = write_day(tmp_path / "snapshots", day)
        cost = cost_of([*REFRESH, day.isoformat()], tmp_path)
        print(f"{day.isoformat():<26}{prices:>9,}{cost.seconds:>9.1f}{cost.peak_mib:>10.0f}{cost.written_mib:>13.0f}")
        with duckdb.connect(str(tmp_path / "published" / "breakeven.duckdb"), read_only=True) as connection:
            of_today = "SELECT count(*) FROM bi.price_today WHERE price_as_of_on = ? AND provider IN ('aws', 'azure')"
            assert connection.execute(of_today, [day]).fetchall() == [(prices,)]
        assert cost.peak_mib <= 1024
