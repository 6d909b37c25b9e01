"""Files of a deployment: readable, complete, and of the commands and paths that there are."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from pipelines.cli.main import build_parser
from tests.support.paths import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda p: p.name)
def test_a_unit_runs_a_command_that_there_is_with_few_rights(path: Path) -> None:
    service = unit(path)["Service"]
    command = re.search(r"\.venv/bin/(breakeven (\w+)|dagster-webserver)", service["ExecStart"])
    assert command is not None
    if command.group(2):
        build_parser().parse_args([command.group(2), *(["x"] if command.group(2) == "backup" else [])])
    assert service["User"] == "breakeven" and service["NoNewPrivileges"] == "true" and service["ProtectSystem"] == "strict"


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".timer"], ids=lambda p: p.name)
def test_a_timer_has_its_service(path: Path) -> None:
    assert (
        path.with_suffix(".service").exists() and unit(path)["Timer"]["OnCalendar"] and unit(path)["Install"]["WantedBy"] == "timers.target"
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_them() -> None:
    done = subprocess.run(["systemd-analyze", "verify", *map(str, UNITS)], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "is not executable" not in line and "Failed to" not in line]
    assert wrong == []


def test_the_containers_are_whole() -> None:
    folder = ROOT / "deploy" / "docker"
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    services = compose["services"]
    assert services["daemon"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["pages"]["ports"] == ["127.0.0.1:3000:3000"] and "--read-only" in services["pages"]["command"]
    named = set(re.findall(r"env: (\w+)", (folder / "dagster.yaml").read_text()))
    assert named <= set(services["daemon"]["environment"])
    docker = (folder / "Dockerfile").read_text()
    assert "USER breakeven" in docker and "--require-hashes" in docker and "HEALTHCHECK" in docker
    for source in re.findall(r"^COPY (\S+) ", docker, re.MULTILINE):
        assert (ROOT / source).exists()


def test_the_storage_of_dagster_s_record_goes_with_dagster() -> None:
    """Libraries of Dagster 1.x.y are 0.(x + 16).y."""
    _, minor, patch = metadata.version("dagster").split(".")
    pinned = (ROOT / "deploy" / "docker" / "requirements.txt").read_text()
    assert f"dagster-postgres==0.{int(minor) + 16}.{patch}" in pinned
