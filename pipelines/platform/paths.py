"""Folders that ship with the project and folders that it works in, each spelled once.

Belongs here: where code, models, SQL and what ships lie, in a checkout and in an installed package. Does not belong here: which data
folder is used (a setting), the files in it.
"""

from __future__ import annotations

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
