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

import duckdb

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.monitoring.state import read_state
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.publication.manifest import changed_files, read_manifest
from pipelines.publication.ops import runs
from pipelines.publication.run_outcomes import INTERRUPTED
from pipelines.publication.versions import PublishedFolder
from tests.faults.cases import case
from tests.support.cli import SMALL_MARKET, Cli
from tests.support.paths import ROOT

DAYS = max(11, int(os.environ.get("BREAKEVEN_FAULTS_DAYS", "60")))
KILLS = int(os.environ.get("BREAKEVEN_FAULTS_KILLS", "25"))
NAMED_KILLS = (
    "kill_in_fetch",
    "kill_in_build",
    "kill_before_the_history_takes_a_batch",
    "kill_after_the_history_took_a_batch",
    "kill_in_check",
    "kill_while_writing_the_version",
    "kill_between_version_and_link",
)
REFRESH = ("refresh", "--offline", "--as-of", "2026-11-23", "--rebuild")


def _refreshed(data: Path) -> Cli:
    cli = Cli(data, SMALL_MARKET, is_warm=False)
    done = cli(*REFRESH)
    assert done.returncode == 0, done.stderr[-500:]
    return cli


def _peak_mib_of(cli: Cli, said: Path, *arguments: str) -> int:
    """Run a command that must succeed in a process of its own; gives the most memory that this one process held."""
    with said.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli.main", *arguments], env=cli.environment, cwd=ROOT, stdout=file, stderr=file
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.read_text()[-500:]
    return used.ru_maxrss // 1024


def assert_whole(data: Path) -> None:
    """The published version is as it was published, and every stored answer is there."""
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
        assert_whole(cli.data)
        state = read_state(Settings(data=cli.data), utc_now())
        assert state.last is not None and state.last["outcome"] in ((INTERRUPTED, "published") if was_killed else ("published",))
    _refreshed(cli.data)
    assert_whole(cli.data)
    return KILLS


@case("whole replay: kills at random moments")
def _replay_kills(work: Path) -> int:
    cli, moments = _refreshed(work / "data"), random.Random(7)
    for _ in range(5):
        _killed(cli, ("replay", str(cli.data / "snapshots")), moments.uniform(0.5, 4.0))
        assert_whole(cli.data)
    return 5


@case("whole refresh: kills at named points")
def _named_kills(work: Path) -> int:
    cli = _refreshed(work / "data")
    for number, fault in enumerate(NAMED_KILLS):
        arguments = () if fault == "kill_in_fetch" else ("--offline",)
        process = subprocess.run(
            [sys.executable, "-m", "tests.faults.run_with", fault, "refresh", *arguments, "--as-of", "2026-11-23", "--rebuild"],
            env=cli.environment,
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert process.returncode == -signal.SIGKILL, f"{fault} ended with {process.returncode}"
        assert_whole(cli.data)
        state = read_state(Settings(data=cli.data), utc_now())
        assert state.last is not None and state.last["outcome"] == INTERRUPTED, f"{fault}: {state.last}"
        assert sum(run["outcome"] == "published" for run in runs(cli.data / "ops")) == 1, number
    _refreshed(cli.data)
    return len(NAMED_KILLS)


@case("whole refresh: in 1.2 GiB of memory")
def _little_memory(work: Path) -> int:
    """Data beyond 1.2 GiB is refused to the process: it ends well, or ends by itself, and leaves what was published."""
    cli, limit = _refreshed(work / "data"), int(1.2 * 2**30)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *REFRESH],
        env=cli.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert "Traceback" not in done.stderr, done.stderr[-500:]
    assert_whole(cli.data)
    state = read_state(Settings(data=cli.data), utc_now())
    expected = {0: ("published",), 1: ("failed", "blocked", INTERRUPTED)}.get(done.returncode, (INTERRUPTED,))
    assert state.last is not None and state.last["outcome"] in expected, f"{done.returncode}: {state.last}"
    _refreshed(cli.data)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    assert 100 < peak < 1229, f"a refresh of this market takes {peak} MiB"
    return 1


@case("whole refresh: a reader holds the file over six refreshes")
def _reader(work: Path) -> int:
    cli = _refreshed(work / "data")
    question = "SELECT count(*), sum(usd_per_hour) FROM marts.price_history"
    with duckdb.connect(str((cli.data / "published" / "breakeven.duckdb").resolve()), read_only=True) as reader:
        before = reader.execute(question).fetchall()
        for _ in range(6):
            _refreshed(cli.data)
            assert reader.execute(question).fetchall() == before
            assert_whole(cli.data)
    return 6


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
        assert_whole(cli.data)
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
        assert_whole(cli.data)
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
        peak = _peak_mib_of(cli, work / "said", "refresh", "--offline", "--as-of", str(date(2026, 9, 20) + timedelta(days=number)))
        kept = [p for p in cli.data.rglob("*") if p.is_file() and not p.is_symlink() and "snapshots" not in p.parts]
        sizes.append(sum({(s := p.stat()).st_ino: s.st_size for p in kept}.values()))
        assert peak > 100, "the peak is not that of the refresh"
        print(f"  day {number + 1}: {sizes[-1] / 1e6:.1f} MB, {time.monotonic() - began:.0f} s, peak {peak} MiB", flush=True)
    a_day = (sizes[-1] - sizes[9]) / max(1, DAYS - 10)
    print(f"  {a_day / 1e6:.2f} MB a day from the tenth on, {a_day * 1095 / 1e9:.2f} GB in three years", flush=True)
    assert a_day < 1e6
    return DAYS
