"""Faults of whole refreshes, as cases: each refreshes some times, so they belong to `make faults`, not to every run of the tests."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.monitoring.state import read_state
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.publication.manifest import changed_files, read_manifest
from pipelines.publication.run_outcomes import INTERRUPTED
from pipelines.publication.versions import PublishedFolder
from tests.faults.cases import case
from tests.support.cli import SMALL_MARKET, Cli
from tests.support.paths import ROOT

DAYS = max(11, int(os.environ.get("BREAKEVEN_FAULTS_DAYS", "60")))
KILLS = int(os.environ.get("BREAKEVEN_FAULTS_KILLS", "25"))
REFRESH = ("refresh", "--offline", "--as-of", "2026-11-23", "--rebuild")


def _refreshed(data: Path) -> Cli:
    cli = Cli(data, SMALL_MARKET)
    done = cli(*REFRESH)
    assert done.returncode == 0, done.stderr[-500:]
    return cli


def _assert_whole(data: Path) -> None:
    current = PublishedFolder(data / "published").current
    assert current is not None and changed_files(current, read_manifest(current)) == []
    assert SnapshotStore(data / "snapshots").losses() == []


def _killed(cli: Cli, arguments: Sequence[str], after_seconds: float) -> bool:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli.main", *arguments],
        env=cli.environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after_seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait() < 0


@case("whole refresh: kills at random moments")
def _random_kills(work: Path) -> int:
    began = time.monotonic()
    cli = _refreshed(work / "data")
    takes, moments = time.monotonic() - began, random.Random(20261123)
    for _ in range(KILLS):
        was_killed = _killed(cli, REFRESH, moments.uniform(0.2, takes))
        _assert_whole(cli.data)
        state = read_state(Settings(data=cli.data), utc_now())
        assert state.last is not None and state.last["outcome"] in ((INTERRUPTED, "published") if was_killed else ("published",))
    _refreshed(cli.data)
    _assert_whole(cli.data)
    return KILLS


@case("whole replay: kills at random moments")
def _replay_kills(work: Path) -> int:
    cli, moments = _refreshed(work / "data"), random.Random(7)
    for _ in range(5):
        _killed(cli, ("replay", str(cli.data / "snapshots")), moments.uniform(0.5, 4.0))
        _assert_whole(cli.data)
    return 5


@case("whole refresh: disk full at six sizes")
def _disk_full(work: Path) -> int:
    cli = _refreshed(work / "data")
    sizes = (1, 64, 512, 4_096, 16_384, 65_536)
    for kilobytes in sizes:
        done = subprocess.run(
            ["bash", "-c", f'trap "" XFSZ; ulimit -f {kilobytes}; exec "$@"', "_", sys.executable, "-m", "pipelines.cli.main", *REFRESH],
            env=cli.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1) and "Traceback" not in said, said[-500:]
        _assert_whole(cli.data)
    _refreshed(cli.data)
    return len(sizes)


@case("whole refresh: build file, history, Dagster's record and lock damaged")
def _damaged(work: Path) -> int:
    cli = _refreshed(work / "data")
    victims = [*cli.data.glob("*.duckdb"), *cli.data.glob("history/*"), *cli.data.glob("dagster/history/*.db"), cli.data / "refresh.lock"]
    for victim in victims:
        victim.write_bytes(b"\x00damaged" * 1000)
        done = cli(*REFRESH)
        assert done.returncode == 0 and "Traceback" not in done.stderr, f"{victim.name}: {done.stderr[-500:]}"
        _assert_whole(cli.data)
    return len(victims)


@case("whole refresh: in folders named with %, spaces and quotes")
def _odd_paths(work: Path) -> int:
    names = ("feature%2Fgpu", "it's a [b] #1")
    for name in names:
        _refreshed(work / name)
        shutil.rmtree(work / name)
    assert list(work.iterdir()) == []
    return len(names)


@case("whole refresh: sixty days")
def _sixty_days(work: Path) -> int:
    """Disk, time and peak memory of each day, printed; what is not an answer of a service stays as large as it was."""
    cli, sizes = Cli(work / "data", SMALL_MARKET), []
    for number in range(DAYS):
        began = time.monotonic()
        done = cli("refresh", "--offline", "--as-of", str(date(2026, 9, 20) + timedelta(days=number)))
        assert done.returncode == 0, done.stderr[-500:]
        kept = [p for p in cli.data.rglob("*") if p.is_file() and not p.is_symlink() and "snapshots" not in p.parts]
        sizes.append(sum({(s := p.stat()).st_ino: s.st_size for p in kept}.values()))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"  day {number + 1}: {sizes[-1] / 1e6:.1f} MB, {time.monotonic() - began:.0f} s, peak so far {peak} MiB", flush=True)
    a_day = (sizes[-1] - sizes[9]) / max(1, DAYS - 10)
    print(f"  {a_day / 1e6:.2f} MB a day from the tenth on, {a_day * 1095 / 1e9:.2f} GB in three years", flush=True)
    assert a_day < 1e6
    return DAYS
