"""Kills while a version in parts is published on the first day of a month, over and over, on one folder.

Belongs here: what a kill between the first part and the link must leave, and what the next refresh must publish. Does not belong here:
kills of other steps (`refreshes`), before every single act (`stores`).

Only what the kills are about is done again each time, by the code of a refresh: marts in parts, whose months before are kept, and the
version. Fetching, the history and the marts in one file are those of a refresh of that day.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from pipelines.catalogue.models import models
from pipelines.platform.paths import DataFolder
from pipelines.publication.parts import sha256_of
from pipelines.publication.versions import DUCKDB_FILE, PublishedFolder
from pipelines.refresh.lifecycle import publish_version, record_start
from pipelines.refresh.model_tables import build_model_table
from pipelines.refresh.session import refresh_session
from tests.faults.cases import case
from tests.faults.refreshes import KILLS, assert_whole
from tests.support.cli import SMALL_MARKET, Cli
from tests.support.paths import ROOT
from tests.support.warm import run_command

DAYS_BEFORE, FIRST = (date(2026, 10, 29), date(2026, 10, 30), date(2026, 10, 31)), date(2026, 11, 1)
# With few versions kept, the file of one before them is at hand to be brought up to date: that is killed, too.
MARKET = {**SMALL_MARKET, "BREAKEVEN_KEEP_VERSIONS": "2"}
# So many follow each other before a refresh is left to its end.
KILLS_IN_A_ROW = 10
SEED = int(os.environ.get("BREAKEVEN_FAULTS_SEED", "20261101"))


@case("whole refresh: kills as a version in parts closes a month")
def _roll_over(work: Path) -> int:
    cli, begun = Cli(work / "data", MARKET), work / "begun"
    for day in DAYS_BEFORE:
        _refresh(cli, day)
    _copy(cli.data, begun)
    closed, old = _files(cli), _rows(cli)
    _refresh(cli, FIRST)
    files, rows = _files(cli), _rows(cli)
    assert {Path(name).name for name in files.keys() - closed.keys()} == {f"{FIRST:%Y-%m}.parquet"}, "the month does not begin"
    _take_all_but_parts(cli.data, begun)
    _begin(cli, begun)
    takes = _publish(cli)
    assert takes is not None and _files(cli) == files, _differing(_files(cli), files)

    moments, killed, after_the_link = random.Random(SEED), 0, 0
    while killed < KILLS:
        _begin(cli, begun)
        with duckdb.connect(str(cli.current / DUCKDB_FILE), read_only=True) as reader:
            for _ in range(min(KILLS_IN_A_ROW, KILLS - killed)):
                killed += _publish(cli, moments.uniform(0.0, takes)) is None
                assert_whole(cli.data)
                # The link was swapped, or it was not.
                is_new = cli.manifest()["as_of"] == str(FIRST)
                expected, held = (files, rows) if is_new else (closed, old)
                assert _files(cli) == expected, _differing(_files(cli), expected)
                assert _rows(cli) == held, _differing(_rows(cli), held)
                if is_new:
                    after_the_link += 1
                    break
            _refresh(cli, FIRST)
            assert_whole(cli.data)
            assert _files(cli) == files, _differing(_files(cli), files)
            assert _rows(cli) == rows, _differing(_rows(cli), rows)
            assert _rows_in(reader) == old, "who reads the version of before is not to be disturbed"
        published = cli.data / "published"
        assert {p.name for p in published.iterdir()} - {".spare"} == {"versions", "current", DUCKDB_FILE}
        assert sorted((published / "versions").iterdir()) == PublishedFolder(published).all_versions()
    print(f"  {killed} killed within {takes:.1f} s, after {after_the_link} tries the new version was current", flush=True)
    return killed


def _copy(data: Path, to: Path) -> None:
    # With the links between files, of which a version shares many with the ones before.
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)


def _take_all_but_parts(after: Path, begun: Path) -> None:
    """What a refresh has made before its first mart in parts and beside them, into the folder of the day before."""
    kept = {DataFolder(begun).published, DataFolder(begun).marts_being_built}
    for place in after.iterdir():
        if begun / place.name not in kept:
            shutil.rmtree(begun / place.name) if place.is_dir() else (begun / place.name).unlink(missing_ok=True)
            _copy(place, begun)
    for file in DataFolder(after).marts_being_built.glob("*.parquet"):
        target = DataFolder(begun).marts_being_built / file.name
        # It may be that of a published version, too.
        target.unlink(missing_ok=True)
        shutil.copyfile(file, target)


def _begin(cli: Cli, begun: Path) -> None:
    shutil.rmtree(cli.data)
    _copy(begun, cli.data)


def _refresh(cli: Cli, day: date) -> None:
    done = cli("refresh", "--offline", "--as-of", str(day))
    assert done.returncode == 0, done.stderr[-500:]


def _publish(cli: Cli, seconds: float | None = None) -> float | None:
    """Publish the first of the month, in a process that the kernel ends after so many seconds; how long it took, None where ended."""
    given = [] if seconds is None else [str(max(seconds, 1e-3))]
    done = run_command(given, cli.environment, ROOT, timeout_seconds=300, command=published)
    assert done.returncode in ((0, -signal.SIGALRM) if given else (0,)), f"{done.returncode}: {done.stderr[-2000:]}"
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def published(arguments: Sequence[str]) -> int:
    """What is done in the process that is ended."""
    with refresh_session(str(uuid.uuid4()), FIRST, offline=True) as session:
        record_start(session)
        manifest = session.published.manifest()
        assert manifest is not None
        session.ops.append("source_status", [{**row, "run_id": session.run_id} for row in manifest["sources"]])
        if arguments:
            # Nobody handles the signal, so it ends the process wherever it is, in the middle of a statement too.
            signal.setitimer(signal.ITIMER_REAL, float(arguments[0]))
        began = time.monotonic()
        for model in models().values():
            if model.is_in_parts:
                made = build_model_table(model, session)
                assert isinstance(made.table, list), made.results
        publish_version(session)
        sys.stdout.write(f"{time.monotonic() - began}\n")
    return 0


def _files(cli: Cli) -> dict[str, str]:
    """The hashes of all marts' files by where they lie in the version."""
    return {str(file.relative_to(cli.current)): sha256_of(file) for file in sorted((cli.current / "marts").rglob("*.parquet"))}


def _rows(cli: Cli) -> dict[str, str]:
    with duckdb.connect(str(cli.current / DUCKDB_FILE), read_only=True) as connection:
        return _rows_in(connection)


def _rows_in(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The number and a hash of the rows of every mart, as the DuckDB file gives them."""
    names = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts' ORDER BY ALL").fetchall()
    counted = 'SELECT count(*), bit_xor(hash(t)), sum(hash(t)) FROM marts."{}" AS t'
    return {name: str(connection.execute(counted.format(name)).fetchall()) for (name,) in names}


def _differing(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
