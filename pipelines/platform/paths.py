"""Folders that ship with the project and folders that it works in, each spelled once.

Belongs here: where code, models, SQL and what ships lie, in a checkout and in an installed package; what lies in a data folder. Does
not belong here: which data folder is used (a setting).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent
PROJECT_FOLDER = PACKAGE_FOLDER.parent
# In a checkout models and SQL lie beside the package; a wheel holds them inside it.
_IS_CHECKOUT = (PROJECT_FOLDER / "dbt_like_models").is_dir()
_SHIPPED_IN = PROJECT_FOLDER if _IS_CHECKOUT else PACKAGE_FOLDER
MODELS_FOLDER = _SHIPPED_IN / "dbt_like_models"
SQL_FOLDER = _SHIPPED_IN / "sql"
DAGSTER_YAML = PACKAGE_FOLDER / "dagster.yaml"


def working_folder() -> Path:
    """Where `breakeven.toml` is looked for and `data/` is made: the checkout, or for an installed package the current folder."""
    return PROJECT_FOLDER if _IS_CHECKOUT else Path.cwd()


@dataclass(frozen=True)
class DataFolder:
    """What lies in a data folder. What is inside of a folder named here is the business of the module that keeps it."""

    root: Path

    @property
    def snapshots(self) -> Path:
        """Every answer of every source; cannot be made again."""
        return self.root / "snapshots"

    @property
    def ops(self) -> Path:
        """The record of every run; cannot be made again."""
        return self.root / "ops"

    @property
    def published(self) -> Path:
        """Published versions, and the links to the current one."""
        return self.root / "published"

    @property
    def current(self) -> Path:
        """Link to the current version."""
        return self.published / "current"

    @property
    def current_file(self) -> Path:
        """Link to the DuckDB file of the current version."""
        return self.published / "breakeven.duckdb"

    @property
    def history(self) -> Path:
        """The file in which the price history grows."""
        return self.root / "history" / "history.duckdb"

    @property
    def alerts(self) -> Path:
        """What was told already."""
        return self.root / "alerts.json"

    @property
    def metrics(self) -> Path:
        """Figures of the last refresh for a monitor."""
        return self.root / "metrics.prom"

    @property
    def lock(self) -> Path:
        """Held by whoever writes."""
        return self.root / "refresh.lock"

    @property
    def marts_being_built(self) -> Path:
        """Marts of the refresh that runs."""
        return self.root / "build"

    @property
    def scripts(self) -> Path:
        """Scripts of the pages that are the same in every refresh."""
        return self.marts_being_built / "scripts"

    @property
    def spilled(self) -> Path:
        """What DuckDB cannot hold in memory."""
        return self.root / "duckdb_temp"

    def build_file(self, name: str) -> Path:
        """A DuckDB file that a refresh works in."""
        return self.root / f"{name}.duckdb"

    @property
    def dagster(self) -> Path:
        """Dagster's home."""
        return self.root / "dagster"

    @property
    def unreadable_dagster(self) -> Path:
        """A home of Dagster that could not be read, set aside."""
        return self.root / "dagster.unreadable"

    @property
    def replay(self) -> Path:
        """What `breakeven replay` makes."""
        return self.root / "replay"

    @property
    def distributed(self) -> Path:
        """A data folder of its own, in which a computation by several machines makes what they do not."""
        return self.root / "distributed"

    @property
    def restoring(self) -> Path:
        """A backup that is being put back."""
        return self.root / ".restoring"

    def trial(self, source: str) -> Path:
        """Answers of a source that is only tried."""
        return self.root / "trials" / source
