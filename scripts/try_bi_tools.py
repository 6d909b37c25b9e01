"""Try BI tools on the published file through two refreshes: each connects, reads, and reads again after a new version was published.

    python scripts/try_bi_tools.py DATA [--duckdb VENV] [--dbt VENV] [--harlequin VENV] [--superset VENV]

DATA is a data folder of its own (it is refreshed twice, offline, for two days). Each tool is tried from the environment that it was
installed in (docs/bi-tools.md says how). Prints a line for each tool and step; exits 1 where one failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAYS = ("2026-11-24", "2026-11-25")
COUNT = "SELECT max(as_of_on) FROM bi.data_health"

DUCKDB = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(connection.execute(sys.argv[2]).fetchall()[0][0])
"""
SUPERSET_CONFIG = (
    "SECRET_KEY = 'a key of this trial alone, thrown away after it'\n"
    "SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\n"
    "PREVENT_UNSAFE_DB_CONNECTIONS = False\n"
)
SUPERSET_SETUP = (
    ("db", "upgrade"),
    ("init",),
    ("fab", "create-admin", "--username=admin", "--firstname=a", "--lastname=b", "--email=a@example.org", "--password=unused"),
)
DBT_FILES = {
    "dbt_project.yml": 'name: reports\nversion: "1.0"\nprofile: reports\nmodel-paths: [models]\n',
    "profiles.yml": (
        "reports:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: reports.duckdb\n"
        "      attach: [{path: \"{{ env_var('BREAKEVEN_FILE') }}\", alias: breakeven, read_only: true}]\n"
    ),
    "models/sources.yml": "sources:\n  - {name: bi, database: breakeven, schema: bi, tables: [{name: data_health}]}\n",
    "models/newest.sql": "{{ config(materialized='table') }} SELECT max(as_of_on) AS newest FROM {{ source('bi', 'data_health') }}\n",
}


def refresh(data: Path, day: str) -> None:
    """Publish a version for the day."""
    command = [sys.executable, "-m", "pipelines.cli.main", "refresh", "--offline", "--rebuild", "--as-of", day]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "BREAKEVEN_DATA": str(data)}, check=True, stdout=subprocess.DEVNULL)


def outside(**more: str) -> dict[str, str]:
    """The environment of a tool, which is not the project's."""
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, "PYTHONWARNINGS": "ignore", **more}


def by_python(venv: Path, file: Path, folder: Path) -> str:
    """The newest day as a plain client sees it."""
    command = [str(venv / "bin" / "python"), "-c", DUCKDB, str(file), COUNT]
    done = subprocess.run(command, capture_output=True, text=True, env=outside(), cwd=folder, check=False)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 else f"failed: {done.stderr.strip().splitlines()[-1]}"


class Reader:
    """A process of a tool that stays open: for each line it reads again, and says in JSON the newest day and the rows that it saw."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.log, pipe = folder / "log", subprocess.PIPE
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=folder, text=True, stdin=pipe, stdout=pipe, stderr=log)

    def read(self) -> str:
        """The newest day that the tool shows; whatever it reads must have rows."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):  # its log says why it ended
            print("read", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            return f"failed: {self.log.read_text().strip().splitlines()[-1]}"
        seen = json.loads(line)
        empty = [name for name, count in seen["rows"].items() if not count]
        return f"failed: no rows in {', '.join(empty)}" if empty else str(seen["day"])

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


class Superset:
    """One process of Superset with the dashboard of deploy/superset, open from before one refresh until after the next."""

    def __init__(self) -> None:
        self.reader: Reader | None = None

    def __call__(self, venv: Path, file: Path, folder: Path) -> str:
        """The newest day that a chart shows."""
        self.reader = self.reader or self._start(venv, file, folder)
        return self.reader.read()

    def _start(self, venv: Path, file: Path, folder: Path) -> Reader:
        config = folder / "superset_config.py"
        config.write_text(SUPERSET_CONFIG.format(folder=folder))
        environment = outside(SUPERSET_CONFIG_PATH=str(config), FLASK_APP="superset")
        with (folder / "log").open("w") as log:
            for words in SUPERSET_SETUP:
                subprocess.run([str(venv / "bin" / "superset"), *words], env=environment, cwd=folder, check=True, stdout=log, stderr=log)
        command = [str(venv / "bin" / "python"), str(ROOT / "deploy" / "superset" / "read_dashboard.py"), str(file)]
        return Reader(command, environment, folder)

    def close(self) -> None:
        """End the process."""
        if self.reader:
            self.reader.close()


class Harlequin:
    """A window of the SQL IDE stays open on the file through each refresh, and still answers; a new window sees the new version."""

    def __init__(self) -> None:
        self.window: Reader | None = None

    def __call__(self, venv: Path, file: Path, folder: Path) -> str:
        """The newest day in a new window."""
        if self.window:
            seen = self.window.read()
            if seen.startswith("failed"):
                return f"the open window {seen}"
            self.close()
        command = [str(venv / "bin" / "python"), str(ROOT / "scripts" / "read_in_harlequin.py"), str(file), COUNT]
        self.window = Reader(command, outside(), folder)
        return self.window.read()

    def close(self) -> None:
        """Close the window."""
        if self.window:
            self.window.close()


def by_dbt(venv: Path, file: Path, folder: Path) -> str:
    """The newest day as a dbt model that reads the file as a source has it."""
    for name, text in DBT_FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    environment = outside(BREAKEVEN_FILE=str(file))
    done = subprocess.run(
        [str(venv / "bin" / "dbt"), "run", "--profiles-dir", "."], capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    if done.returncode != 0:
        return f"failed: {done.stdout.strip().splitlines()[-1]}"
    code = "import duckdb; print(duckdb.connect('reports.duckdb', read_only=True).execute('SELECT newest FROM newest').fetchall()[0][0])"
    read = subprocess.run([str(venv / "bin" / "python"), "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    return read.stdout.strip()


def main() -> int:
    """Try each tool before and after each refresh."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    for tool in ("duckdb", "dbt", "harlequin", "superset"):
        parser.add_argument(f"--{tool}", type=Path, metavar="VENV")
    options = parser.parse_args()
    data = options.data.resolve()
    file, failed, harlequin, superset = data / "published" / "breakeven.duckdb", False, Harlequin(), Superset()
    tools = {"duckdb": by_python, "dbt": by_dbt, "harlequin": harlequin, "superset": superset}
    with tempfile.TemporaryDirectory() as aside:
        for day in DAYS:
            refresh(data, day)
            for tool, ask in tools.items():
                venv = getattr(options, tool)
                if venv is None:
                    continue
                folder = Path(aside) / tool
                folder.mkdir(exist_ok=True)
                seen = ask(venv.resolve(), file, folder)
                good = seen.startswith(day)
                failed |= not good
                print(f"{tool:9} after the refresh for {day}: {'sees it' if good else seen}", flush=True)
        harlequin.close()
        superset.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
