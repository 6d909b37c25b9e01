"""Under `dagster-daemon` the daily schedule really fires and publishes, also after a kill; and a run that fails is made visible."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import ScheduleInstigatorData, SensorInstigatorData

from tests.support.cli import SMALL_MARKET, Cli
from tests.support.paths import ROOT

# The project's own definitions, with one mart that comes out empty.
BROKEN = """
from pipelines.definitions import defs
from tests.faults.run_with import FAULTS

FAULTS["empty_frame"]()
"""


class Daemon:
    """A daemon on a data folder: `log` is what it said so far."""

    def __init__(self, cli: Cli, workspace: Path) -> None:
        self.home, self.workspace = cli.data / "dagster", workspace
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "pipelines" / "dagster.yaml", self.home / "dagster.yaml")
        self.environment = {**cli.environment, "DAGSTER_HOME": str(self.home), "BREAKEVEN_OFFLINE": "true"}
        self.log = ""

    @contextmanager
    def running(self) -> Iterator[Callable[[Callable[[], bool], float], None]]:
        """Start it; gives a function that waits until something holds. Stopped at the end with all that it started."""
        path = self.home / "daemon.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(self.workspace)],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

            def wait_until(holds: Callable[[], bool], seconds: float) -> None:
                deadline = time.monotonic() + seconds
                while not holds():
                    assert process.poll() is None and time.monotonic() < deadline, path.read_text()[-4000:]
                    time.sleep(0.5)

            try:
                yield wait_until
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)
                self.log += path.read_text()

    @staticmethod
    def _sensor_has_ticked(instance: dg.DagsterInstance) -> bool:
        states = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        return any(isinstance(state.instigator_data, SensorInstigatorData) and state.instigator_data.cursor for state in states)

    def wait_for_the_schedule_to_be_known_and_miss_a_tick(self) -> None:
        """As if the daemon had been started two days ago and been down when the last tick was due: it catches up at its next start."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            with self.running() as wait_until:
                wait_until(lambda: bool(instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)), 90)
                # A run status sensor counts from its first tick on: a run that failed before it would stay unseen.
                wait_until(lambda: self._sensor_has_ticked(instance), 90)
            (state,) = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            assert state.instigator_name == "daily_refresh"
            data = state.instigator_data
            assert isinstance(data, ScheduleInstigatorData)
            day_and_more = 25 * 3600
            instance.update_instigator_state(
                state.with_data(ScheduleInstigatorData(data.cron_schedule, start_timestamp=time.time() - day_and_more))
            )


@pytest.fixture
def workspace() -> Path:
    return ROOT / "workspace.yaml"


def test_the_daily_schedule_fires_and_publishes_after_a_kill(tmp_path: Path, workspace: Path) -> None:
    cli = Cli(tmp_path / "data", SMALL_MARKET)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.faults.run_with", "kill_in_build", "refresh", "--offline"],
        env=cli.environment,
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    daemon = Daemon(cli, workspace)
    daemon.wait_for_the_schedule_to_be_known_and_miss_a_tick()
    with daemon.running() as wait_until:
        wait_until((cli.data / "published" / "breakeven.duckdb").exists, 180)
        with dg.DagsterInstance.from_config(str(daemon.home)) as instance:
            wait_until(
                lambda: {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS}, 60
            )
            (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    assert run.tags["dagster/schedule_name"] == "daily_refresh"
    assert cli.manifest()["run_id"] == run.run_id
    assert cli.manifest()["as_of"] == run.tags["dagster/run_key"]
    assert "Evaluating schedule `daily_refresh`" in daemon.log


def test_a_failed_scheduled_run_is_published_as_such(small_market: Cli, tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data", small_market.settings)
    shutil.copytree(small_market.data, cli.data, symlinks=True, ignore=shutil.ignore_patterns("dagster"))
    (tmp_path / "broken.py").write_text(BROKEN)
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(f"load_from:\n  - python_file:\n      relative_path: {tmp_path / 'broken.py'}\n      working_directory: {ROOT}\n")
    # As of an earlier archive: an equal refresh would find nothing to build.
    before = {**cli.manifest(), "fingerprint": "another"}
    del before["sha256"]
    (cli.current / "manifest.json").write_text(json.dumps(before))
    daemon = Daemon(cli, workspace)
    daemon.wait_for_the_schedule_to_be_known_and_miss_a_tick()
    with daemon.running() as wait_until:
        wait_until(lambda: cli.manifest() != before, 240)
    after = cli.manifest()
    assert after["as_of"] == before["as_of"]
    assert "failed_refresh" in daemon.log
    with duckdb.connect(str(cli.current / "breakeven.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT outcome FROM ops.refreshes WHERE run_id = ?", [after["run_id"]]).fetchall()
        assert ("blocked",) in rows
        assert connection.execute("SELECT count(*) FROM marts.price_history").fetchone() != (0,)
