"""Folders of the project, each spelled once.

Belongs here: where code, models, SQL and what ships with the project lie. Does not belong here: the data folder (a setting).
"""

from __future__ import annotations

from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent
PROJECT_FOLDER = PACKAGE_FOLDER.parent
MODELS_FOLDER = PROJECT_FOLDER / "dbt_like_models"
SQL_FOLDER = PROJECT_FOLDER / "sql"
DAGSTER_YAML = PACKAGE_FOLDER / "dagster.yaml"
