"""The set-up of the repository: verbs, ignored folders, and that lock, package and Dagster's files agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

VERBS = (
    "help",
    "setup",
    "refresh",
    "test",
    "check",
    "lint",
    "types",
    "docs",
    "audit",
    "bench",
    "faults",
    "fuzz",
    "clean",
    "lock",
    "ui",
    "daemon",
)


def test_make_has_its_verbs() -> None:
    text = (ROOT / "Makefile").read_text()
    assert set(VERBS) == set(re.findall(r"^([a-z]+):", text, flags=re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    assert phony is not None and set(VERBS) <= set(phony.group(1).split())


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_alone_helps_and_changes_nothing() -> None:
    done = subprocess.run(["make", "--no-print-directory", "-C", str(ROOT)], capture_output=True, text=True, timeout=60, check=True)
    for verb in set(VERBS) - {"help"}:
        assert f"make {verb}" in done.stdout, verb


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(("code", "expected", "said"), [(0, 0, "good"), (3, 0, "exit code 3"), (1, 2, ""), (4, 2, "")])
def test_make_refresh_succeeds_where_something_was_published(tmp_path: Path, code: int, expected: int, said: str) -> None:
    (tmp_path / "breakeven").write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    (tmp_path / "breakeven").chmod(0o755)
    command = ["make", "--no-print-directory", "-C", str(ROOT), "refresh", f"BIN={tmp_path}", "PYTHON=true", "ARGS=--offline --json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expected, done.stderr
    assert "refresh --offline --json" in done.stdout
    assert said in done.stdout


def test_what_a_machine_makes_is_ignored() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/.venv/", "/data/", "__pycache__/", "*.egg-info/"} <= set(ignored)


def test_ci_can_be_run() -> None:
    for name in ("run", "audit"):
        assert os.access(ROOT / ".ci" / name, os.X_OK)
        subprocess.run(["bash", "-n", str(ROOT / ".ci" / name)], check=True)


def test_the_lock_holds_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^(\S+?)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE):
        locked.setdefault(name, []).append(version)
    for text in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], *project["build-system"]["requires"]]:
        wanted = Requirement(text)
        versions = locked.get(canonicalize_name(wanted.name), [])
        assert versions, f"{text} is not in requirements.lock: run make lock"
        assert all(wanted.specifier.contains(v, prereleases=True) for v in versions), f"{text} against {versions}: run make lock"


def test_workspace_is_the_one_code_location() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert location["python_module"]["module_name"] == project["code_location_target_module"] == "pipelines.definitions"
    assert location["python_module"]["location_name"] == project["code_location_name"] == "breakeven"


def test_the_dagster_instance_is_as_configured(tmp_path: Path) -> None:
    from dagster import DagsterInstance

    shutil.copy(ROOT / "pipelines" / "dagster.yaml", tmp_path / "dagster.yaml")
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        # What ends a run whose process was killed, besides the next refresh.
        assert instance.run_monitoring_enabled
        assert 0 < instance.run_monitoring_max_runtime_seconds <= 7200
        # A run that was killed would fill a limited queue for ever; the refresh's own lock lets one in at a time.
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None and queue.max_concurrent_runs == -1


def test_the_number_of_examples_follows_the_profile() -> None:
    fixed = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "unit").rglob("*.py")) if "max_examples" in path.read_text()]
    assert fixed == [], "use tests.support.examples.examples(count), which the nightly profile multiplies"
