"""Set the project up on a machine that has Python 3.11 to 3.14: make `.venv` and install what the lock names.

Standard library only, since it runs before anything is installed. Ways, first that can be taken: uv; venv with pip; venv without pip
and pip from outside. Does nothing where the environment is already that of the lock. BREAKEVEN_SETUP_WITHOUT_UV=1 passes uv by.
Settings of uv and pip in the environment (UV_*, PIP_*) are theirs and stay as they are.
"""

# The file also runs far enough on an older Python to say which one is wanted: so types stand in quotes.
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST, NEWEST = (3, 11), (3, 14)
# Which one is taken where `python3` itself is none of them: the one most tried first.
NAMES = ("python3.13", "python3.12", "python3.11", "python3.14")
# The first pip that can install into another interpreter's environment.
OLDEST_OUTSIDE_PIP = (22, 3)
DEBIAN_VENV = "Debian and Ubuntu: apt install python3-venv"


class SetupError(Exception):
    """The project cannot be set up here; the message names what is missing."""


def choose_way(*, has_uv: bool, has_venv: bool, has_ensurepip: bool, has_pip: bool) -> str:
    """Which way to take with what is there: `uv`, `pip` or `outside pip`. Raises SetupError naming the missing package.

    `has_pip`: a pip of this interpreter that can install into another environment.
    """
    if has_uv:
        return "uv"
    if not has_venv:
        raise SetupError(f"Python's module venv is missing: install it ({DEBIAN_VENV}), or install uv")
    if has_ensurepip:
        return "pip"
    if has_pip:
        return "outside pip"
    raise SetupError(
        f"neither uv, nor ensurepip, nor pip {dotted(OLDEST_OUTSIDE_PIP)} or newer is there: install one of them "
        f"({DEBIAN_VENV}, or python3-pip)"
    )


def choose_python(found: "dict[str, tuple[int, int]]") -> str:
    """The first interpreter that will do, of name and version in order of preference. Raises SetupError saying what was found."""
    for name, version in found.items():
        if OLDEST <= version <= NEWEST:
            return name
    listed = ", ".join(f"{name} is {dotted(version)}" for name, version in found.items()) or "none"
    raise SetupError(f"found Python: {listed}; expected {dotted(OLDEST)} to {dotted(NEWEST)}: make setup PYTHON=<path of one>")


def check_version(version: "tuple[int, int]") -> None:
    """Raise SetupError for a Python outside 3.11 to 3.14."""
    choose_python({"this one": version})


def dotted(version: "tuple[int, ...]") -> str:
    """(3, 11) as 3.11."""
    return ".".join(map(str, version))


def state_of(lock: bytes, version: "tuple[int, ...]", folder: Path) -> str:
    """Names an installed environment: the lock, the interpreter and the places that it was made for (it cannot be moved)."""
    return hashlib.sha256(lock + repr((version, str(folder), str(ROOT))).encode()).hexdigest()[:16]


def main(arguments: "list[str]") -> int:
    """Set up `.venv` (or the folder given), and say what was done. Returns 0, 1 on failure, 130 when interrupted."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / ".venv"
    try:
        python = interpreter(folder)
        if python != sys.executable:
            sys.stdout.flush()
            os.execv(python, [python, __file__, *arguments])  # noqa: S606 - the interpreter just asked for its version
        check_version(sys.version_info[:2])
        set_up(folder)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"setup: '{' '.join(error.cmd)}' ended with {error.returncode}; its own message stands above", file=sys.stderr)
    except OSError as error:
        print(f"setup: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("setup: interrupted; the next one starts over", file=sys.stderr)
        return 130
    else:
        return 0
    return 1


def interpreter(folder: Path) -> str:
    """Path of the Python to install with: this one where it will do, else one of the usual names on the PATH."""
    this = sys.version_info[:2]
    # The environment about to be replaced cannot replace itself (`make` run where it is activated).
    if Path(sys.prefix).resolve() == folder.resolve():
        base = Path(sys.base_prefix) / "bin" / f"python{dotted(this)}"
        return str(base) if base.exists() else sys.executable
    if OLDEST <= this <= NEWEST:
        return sys.executable
    found = {sys.executable: this}
    for name in NAMES:
        path = shutil.which(name)
        # Asked, not believed: a version manager leaves names on the PATH that start nothing.
        told = told_by([path, "-c", "import sys; print(*sys.version_info[:2])"]) if path else None
        if path and told:
            major, minor = told.split()
            found[path] = (int(major), int(minor))
    return choose_python(found)


def told_by(command: "list[str]") -> "str | None":
    """What a command prints, or None where it does not work."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode().strip() if done.returncode == 0 else None


def has_outside_pip() -> bool:
    """Whether this interpreter has a pip that can install into another environment."""
    if importlib.util.find_spec("pip") is None:
        return False
    told = told_by([sys.executable, "-m", "pip", "--version"])  # pip 23.0.1 from ...
    return told is not None and pip_is_new_enough(told)


def pip_is_new_enough(told: str) -> bool:
    """Read the line that `pip --version` prints."""
    major, minor = told.split()[1].split(".")[:2]
    return (int(major), int(minor)) >= OLDEST_OUTSIDE_PIP


def set_up(folder: Path) -> None:
    """Install into the folder, unless it already holds what the lock names."""
    import fcntl  # noqa: PLC0415 - not there on Windows, where the message above comes first

    with LOCK.open("rb") as lock:
        # The package's own file names the commands that are installed.
        content = lock.read() + (ROOT / "pyproject.toml").read_bytes()
        stamp = folder / f".breakeven-lock-{state_of(content, sys.version_info[:3], folder)}"
        if is_done(folder, stamp):
            return
        # Of two set-ups at a time the second waits, and finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_done(folder, stamp):
            install(folder)
            stamp.touch()


def is_done(folder: Path, stamp: Path) -> bool:
    """Whether the folder was installed to the end, and its interpreter is still there."""
    return stamp.exists() and (folder / "bin" / "python").exists()


def install(folder: Path) -> None:
    """Make the environment anew and install the lock and the project into it."""
    started = time.monotonic()
    uv = None if os.environ.get("BREAKEVEN_SETUP_WITHOUT_UV") else shutil.which("uv")
    if uv and told_by([uv, "--version"]) is None:
        uv = None
    way = choose_way(
        has_uv=uv is not None,
        has_venv=importlib.util.find_spec("venv") is not None,
        has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
        has_pip=has_outside_pip(),
    )
    remove(folder)
    print(f"setup: Python {dotted(sys.version_info[:3])}, installing with {way} into {folder} (about 150 packages, once)", flush=True)
    python = str(folder / "bin" / "python")
    # PYTHONPATH would pass for what is installed. Bytecode is worth seconds at every start, also where the environment asks not to
    # write it.
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted}
    if uv is not None:
        environment.setdefault("UV_PYTHON_DOWNLOADS", "never")
        environment.setdefault("UV_COMPILE_BYTECODE", "1")  # pip does so unasked
        run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], environment)
        run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(LOCK)], environment)
        installer = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        without_pip = ["--without-pip"] if way == "outside pip" else []
        run([sys.executable, "-m", "venv", *without_pip, str(folder)], environment)
        pip = [python, "-m", "pip"] if way == "pip" else [sys.executable, "-m", "pip", "--python", python]
        installer = [*pip, "install", "-qq", "--disable-pip-version-check"]  # errors only
        run([*installer, "--no-deps", "--require-hashes", "-r", str(LOCK)], environment)
    run([*installer, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], environment)
    print(f"setup: done in {time.monotonic() - started:.0f} s", flush=True)


def remove(folder: Path) -> None:
    """Remove an unfinished or outdated environment: it is made anew rather than mended. Anything else is left alone and refused."""
    if not folder.exists():
        return
    if folder != ROOT / ".venv" and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise SetupError(f"{folder} holds something other than an environment, expected an empty or a new folder")
    shutil.rmtree(folder)


def run(command: "list[str]", environment: "dict[str, str]") -> None:
    """Run a command; its output is shown, its failure raised."""
    subprocess.run(command, env=environment, check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
