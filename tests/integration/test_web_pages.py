"""Dagster's web pages open on the project: `dagster-webserver -w workspace.yaml` and `dg dev`, without a warning of ours."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.support.paths import ROOT

ASK = """
{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus locationOrLoadError {
    ... on RepositoryLocation { repositories { jobs { name } schedules { name } } }
    ... on PythonError { message }
} } } } }
"""
COMMANDS = [["dagster-webserver", "-w", "workspace.yaml", "-h"], ["dg", "dev", "--host"]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.mark.parametrize("command", COMMANDS, ids=["webserver", "dg dev"])
def test_the_pages_load_the_project(command: list[str], tmp_path: Path) -> None:
    port, home, log = free_port(), tmp_path / "dagster", tmp_path / "log"
    home.mkdir()
    shutil.copyfile(ROOT / "pipelines" / "dagster.yaml", home / "dagster.yaml")
    binary = str(Path(sys.executable).parent / command[0])
    with log.open("w") as said:
        process = subprocess.Popen(
            [binary, *command[1:], "127.0.0.1", "--port" if command[0] == "dg" else "-p", str(port)],
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "DAGSTER_HOME": str(home),
                "BREAKEVEN_DATA": str(tmp_path / "data"),
                "BREAKEVEN_OFFLINE": "true",
            },
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Whoever runs the tests in the background may have this signal ignored, and then it ends nothing.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  (it does nothing else)
        )
        try:
            found = locations(port, process, log)
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    (location,) = found
    assert location["name"] == "breakeven"
    (repository,) = location["locationOrLoadError"]["repositories"]
    assert "refresh" in {job["name"] for job in repository["jobs"]}
    assert [s["name"] for s in repository["schedules"]] == ["daily_refresh"]
    assert [line for line in log.read_text().splitlines() if "arning" in line and "pipelines" in line] == []


def locations(port: int, process: subprocess.Popen[bytes], log: Path) -> list[dict[str, object]]:
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        try:
            answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": ASK}, timeout=10).json()
            found: list[dict[str, object]] = answer["data"]["workspaceOrError"]["locationEntries"]
            if found and found[0]["loadStatus"] == "LOADED":
                return found
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(0.5)


@pytest.mark.parametrize("command", [["check", "defs"], ["list", "defs"]], ids=" ".join)
def test_dg_reads_the_definitions_without_a_warning_of_ours(command: list[str], tmp_path: Path) -> None:
    found = subprocess.run(
        [str(Path(sys.executable).parent / "dg"), *command],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "DAGSTER_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert [line for line in (found.stdout + found.stderr).splitlines() if "arning" in line and "pipelines" in line] == []
    if command[0] == "list":
        assert "marts/break_even" in found.stdout and "daily_refresh" in found.stdout
