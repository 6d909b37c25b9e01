"""Set the project up on a machine that has Python 3.11 to 3.14: make `.venv` and install what the lock names.

Standard library only, since it runs before anything is installed. Ways, first that can be taken: uv; venv with pip; venv without pip
and pip from outside. Does nothing where the environment is already that of the lock.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST, NEWEST = (3, 11), (3, 14)


class SetupError(Exception):
    """The project cannot be set up here; the message names what is missing."""


def choose_way(*, has_uv: bool, has_venv: bool, has_ensurepip: bool, has_pip: bool) -> str:
    """Which way to take with what is there: `uv`, `pip` or `outside pip`. Raises SetupError naming the missing package."""
    if has_uv:
        return "uv"
    if not has_venv:
        raise SetupError("Python's module venv is missing: install it (Debian and Ubuntu: apt install python3-venv), or install uv")
    if has_ensurepip:
        return "pip"
    if has_pip:
        return "outside pip"
    raise SetupError(
        "neither uv, nor ensurepip, nor pip is there: install one of them (Debian and Ubuntu: apt install python3-venv or python3-pip)"
    )


def check_version(version: tuple[int, int]) -> None:
    """Raise SetupError for a Python outside 3.11 to 3.14."""
    if not OLDEST <= version <= NEWEST:
        found, wanted = ".".join(map(str, version)), f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
        raise SetupError(f"this is Python {found}, expected {wanted}: make setup PYTHON=/path/to/another")


def state_of(lock: bytes, version: tuple[int, ...]) -> str:
    """Names an installed environment: the lock and the interpreter that it was made for."""
    return hashlib.sha256(lock + repr(version).encode()).hexdigest()[:16]


def main(arguments: list[str]) -> int:
    """Set up `.venv` (or the folder given), and say what was done."""
    folder = Path(arguments[0]) if arguments else ROOT / ".venv"
    try:
        check_version(sys.version_info[:2])
        set_up(folder)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"setup: {error.cmd[0]} ended with {error.returncode}; its own message stands above", file=sys.stderr)
        return 1
    return 0


def set_up(folder: Path) -> None:
    """Install into the folder, unless it already holds what the lock names."""
    stamp = folder / f".installed-{state_of(LOCK.read_bytes(), sys.version_info[:3])}"
    if stamp.exists():
        return
    uv = shutil.which("uv") if not os.environ.get("BREAKEVEN_SETUP_WITHOUT_UV") else None
    way = choose_way(
        has_uv=uv is not None,
        has_venv=importlib.util.find_spec("venv") is not None,
        has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
        has_pip=importlib.util.find_spec("pip") is not None,
    )
    print(f"setup: installing with {way} into {folder} (about 100 packages, once)", flush=True)
    python = folder / "bin" / "python"
    # An unfinished or outdated environment is made anew rather than mended.
    if folder.exists():
        shutil.rmtree(folder)
    # Bytecode is worth seconds at every start, also where the environment asks not to write it.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}
    if way == "uv":
        assert uv is not None
        quiet = {**environment, "UV_PYTHON_DOWNLOADS": "never", "UV_COMPILE_BYTECODE": "1"}
        run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], quiet)
        run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK)], quiet)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        without_pip = ["--without-pip"] if way == "outside pip" else []
        run([sys.executable, "-m", "venv", *without_pip, str(folder)], environment)
        pip = [str(python), "-m", "pip"] if way == "pip" else [sys.executable, "-m", "pip", "--python", str(python)]
        install = [*pip, "install", "--quiet", "--disable-pip-version-check"]
        run([*install, "--no-deps", "--require-hashes", "-r", str(LOCK)], environment)
    run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], environment)
    subprocess.run([str(python), "-m", "compileall", "-q", str(folder / "lib")], env=environment, check=False, stdout=subprocess.DEVNULL)
    stamp.touch()


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command; its output is shown, its failure raised."""
    subprocess.run(command, env=environment, check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
