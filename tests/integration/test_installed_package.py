"""The wheel alone, in an environment and a folder that know nothing of the checkout: it refreshes, answers and loads in Dagster."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = "from importlib.metadata import entry_points; import sys; [c] = entry_points(group='console_scripts', name='breakeven'); "
COMMAND += "sys.argv[0] = 'breakeven'; sys.exit(c.load()())"
DG = "import sys; sys.argv[0] = 'dg'; from dagster_dg_cli.cli import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python in an environment that holds the wheel and, beside it, the packages that it depends on; in an empty folder."""
    home, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty")
    venv.create(home, with_pip=False)
    site = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # A wheel of Python alone is installed by unpacking it.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # What a .pth names is searched, but its own .pth files are not followed: the checkout's editable install stays unknown.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "BREAKEVEN_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV"))}

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(home / "bin" / "python"), "-c", code, *arguments]
        return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=600, check=False)

    where = run("import pipelines, os; print(pipelines.__file__, os.getcwd())").stdout.split()
    assert Path(where[0]).is_relative_to(site) and Path(where[1]).samefile(folder)
    return run


def test_the_wheel_holds_what_the_command_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("dbt_like_models", "sql"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"pipelines/{path.relative_to(ROOT)}" in names, path
    listed = subprocess.run(["git", "ls-files", "pipelines"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(listed) - names == set()
    assert not [name for name in names if name.endswith(".pyc") or name.startswith("tests/")]


def test_it_refreshes_and_answers_in_an_empty_folder(installed: Run) -> None:
    version = installed(COMMAND, "--version")
    assert version.returncode == 0 and version.stdout.startswith("breakeven "), version.stderr
    before = installed(COMMAND, "status")
    assert "No refresh has run yet" in before.stdout, before.stdout + before.stderr
    done = installed(COMMAND, "refresh", "--offline", "--as-of", "2026-11-23")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "data/published/breakeven.duckdb" in done.stdout
    answer = installed(COMMAND, "decide", str(ROOT / "docs" / "workloads" / "support-chat.yaml"))
    assert answer.returncode == 0 and "USD" in answer.stdout, answer.stdout + answer.stderr


def test_dagster_finds_its_definitions(installed: Run) -> None:
    assert installed(COMMAND, "init").returncode == 0
    listed = installed(DG, "list", "defs", "--json")
    assert listed.returncode == 0, listed.stdout[-2000:] + listed.stderr[-2000:]
    assert '"marts/break_even"' in listed.stdout
