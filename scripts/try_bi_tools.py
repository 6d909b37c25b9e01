"""Try BI tools on the published file through two refreshes: each connects, reads, and reads again after a new version was published.

    python scripts/try_bi_tools.py DATA [--dbt VENV] [--superset VENV] [--duckdb VENV]

DATA is a data folder of its own (it is refreshed twice, offline, for two days). Each tool is tried from the environment that it was
installed in (docs/bi-tools.md says how). Prints a line for each tool and step; exits 1 where one failed.
"""

from __future__ import annotations

import argparse
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
SUPERSET = """
import sys
from superset.app import create_app
with create_app().app_context():
    from superset.models.core import Database
    database = Database(database_name="breakeven", sqlalchemy_uri=f"duckdb:///{sys.argv[1]}?access_mode=read_only")
    print(database.get_df(sys.argv[2]).iloc[0, 0])
"""
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


def by_python(venv: Path, code: str, file: Path, folder: Path) -> str:
    """The newest day as a tool's own Python sees it."""
    config = folder / "superset_config.py"
    config.write_text(
        f"SECRET_KEY = {'x' * 42!r}\nSQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\nPREVENT_UNSAFE_DB_CONNECTIONS = False\n"
    )
    environment = {**os.environ, "SUPERSET_CONFIG_PATH": str(config), "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", code, str(file), COUNT],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 else f"failed: {done.stderr.strip().splitlines()[-1]}"


def by_dbt(venv: Path, file: Path, folder: Path) -> str:
    """The newest day as a dbt model that reads the file as a source has it."""
    for name, text in DBT_FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    environment = {**os.environ, "BREAKEVEN_FILE": str(file)}
    environment.pop("PYTHONPATH", None)
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
    for tool in ("dbt", "superset", "duckdb"):
        parser.add_argument(f"--{tool}", type=Path, metavar="VENV")
    options = parser.parse_args()
    data = options.data.resolve()
    file, failed = data / "published" / "breakeven.duckdb", False
    with tempfile.TemporaryDirectory() as aside:
        for day in DAYS:
            refresh(data, day)
            for tool in ("duckdb", "dbt", "superset"):
                venv = getattr(options, tool)
                if venv is None:
                    continue
                folder = Path(aside) / tool
                folder.mkdir(exist_ok=True)
                if tool == "dbt":
                    seen = by_dbt(venv.resolve(), file, folder)
                else:
                    seen = by_python(venv.resolve(), DUCKDB if tool == "duckdb" else SUPERSET, file, folder)
                good = seen.startswith(day)
                failed |= not good
                print(f"{tool:9} after the refresh for {day}: {'sees it' if good else seen}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
