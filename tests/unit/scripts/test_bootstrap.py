"""How the set-up script decides: which Python, which way, when there is nothing to do; and what it says where it cannot go on."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT

SCRIPT = ROOT / "scripts" / "bootstrap.py"


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("there", list(itertools.product([False, True], repeat=4)))
def test_a_way_is_taken_or_what_is_missing_is_named(bootstrap: ModuleType, there: tuple[bool, bool, bool, bool]) -> None:
    has_uv, has_venv, has_ensurepip, has_pip = there
    known = {"has_uv": has_uv, "has_venv": has_venv, "has_ensurepip": has_ensurepip, "has_pip": has_pip}
    if has_uv:
        assert bootstrap.choose_way(**known) == "uv"
    elif has_venv and (has_ensurepip or has_pip):
        assert bootstrap.choose_way(**known) == ("pip" if has_ensurepip else "outside pip")
    else:
        with pytest.raises(bootstrap.SetupError, match="python3-venv") as error:
            bootstrap.choose_way(**known)
        assert ("module venv is missing" if not has_venv else "python3-pip") in str(error.value)


@pytest.mark.parametrize(("told", "expected"), [("pip 23.0.1 from x", True), ("pip 22.3 from x", True), ("pip 22.0.2 from x", False)])
def test_a_pip_too_old_to_install_elsewhere_does_not_count(bootstrap: ModuleType, told: str, expected: bool) -> None:
    assert bootstrap.pip_is_new_enough(told) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"python3": (3, 11)}, "python3"),
        ({"python3": (3, 14)}, "python3"),
        ({"python3": (3, 10), "python3.13": (3, 13), "python3.11": (3, 11)}, "python3.13"),
        ({"python3": (3, 15), "python3.12": (3, 12)}, "python3.12"),
    ],
)
def test_the_python_taken(bootstrap: ModuleType, found: dict[str, tuple[int, int]], expected: str) -> None:
    assert bootstrap.choose_python(found) == expected


def test_an_unfit_python_is_named_with_its_version(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.SetupError, match=r"a is 3\.10, b is 3\.15; expected 3\.11 to 3\.14: make setup PYTHON="):
        bootstrap.choose_python({"a": (3, 10), "b": (3, 15)})


def test_range_of_versions_is_that_of_the_package(bootstrap: ModuleType) -> None:
    (_, oldest), (_, newest) = bootstrap.OLDEST, bootstrap.NEWEST
    assert f'requires-python = ">=3.{oldest},<3.{newest + 1}"' in (ROOT / "pyproject.toml").read_text()


def test_state_changes_with_lock_python_and_place(bootstrap: ModuleType, tmp_path: Path) -> None:
    state = bootstrap.state_of(b"lock", (3, 11, 7), tmp_path)
    assert state == bootstrap.state_of(b"lock", (3, 11, 7), tmp_path)
    others = {
        bootstrap.state_of(b"lock 2", (3, 11, 7), tmp_path),
        bootstrap.state_of(b"lock", (3, 11, 8), tmp_path),
        bootstrap.state_of(b"lock", (3, 11, 7), tmp_path / "elsewhere"),
    }
    assert len(others | {state}) == 4


def test_an_environment_without_its_stamp_or_its_python_is_not_done(bootstrap: ModuleType, tmp_path: Path) -> None:
    stamp, python = tmp_path / ".stamp", tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    assert not bootstrap.is_done(tmp_path, stamp)
    stamp.touch()
    assert bootstrap.is_done(tmp_path, stamp)
    python.unlink()
    python.symlink_to(tmp_path / "removed")
    assert not bootstrap.is_done(tmp_path, stamp)


def test_only_an_environment_is_removed(bootstrap: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(bootstrap.SetupError, match="something other than an environment"):
        bootstrap.remove(folder)
    assert (folder / "letter.txt").read_text() == "dear"
    (folder / "pyvenv.cfg").touch()
    bootstrap.remove(folder)
    assert not folder.exists()
    bootstrap.remove(folder)


def test_a_command_that_starts_nothing_tells_nothing(bootstrap: ModuleType, tmp_path: Path) -> None:
    shim = tmp_path / "uv"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert bootstrap.told_by([str(shim), "--version"]) is None
    assert bootstrap.told_by([str(tmp_path / "nothing")]) is None
    assert bootstrap.told_by([sys.executable, "-c", "print('3 11')"]) == "3 11"


def test_a_failed_installer_fails_the_setup_and_leaves_no_stamp(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no network" >&2\nexit 2\n')
    uv.chmod(0o755)
    folder = tmp_path / "venv"
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("BREAKEVEN_SETUP_WITHOUT_UV", None)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "no network" in done.stderr
    assert "ended with 2; its own message stands above" in done.stderr
    assert not list(folder.glob(".breakeven-lock-*"))
