"""python -m deploy.superset.write_datasets: brings the columns of every data set to what schema `bi` declares, as `make docs` does.

Belongs here: names, types and meaning of columns. Does not belong here: which views are data sets, their metrics, charts: those are
changed in Superset and exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelines.catalogue.columns import Column
from pipelines.catalogue.published_sql import View, bi_views

FOLDER = Path(__file__).parent / "datasets"
_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "double": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITHOUT TIME ZONE",
}


def render(dataset: Mapping[str, Any], views: Mapping[str, View]) -> str:
    """A data set as its file has it, with the columns of its view in their order."""
    view = views[dataset["table_name"]]
    columns = [_column(column) for column in view.columns]
    return yaml.safe_dump({**dataset, "description": view.comment, "columns": columns}, sort_keys=False)


def _column(column: Column) -> dict[str, Any]:
    return {
        "column_name": column.name,
        "verbose_name": None,
        "is_dttm": column.type in ("date", "timestamp"),
        "is_active": True,
        "type": _TYPES[column.type],
        "advanced_data_type": None,
        "groupby": True,
        "filterable": True,
        "expression": None,
        "description": column.comment,
        "python_date_format": None,
        "datetime_format": None,
        "extra": None,
    }


def main() -> None:
    """Write every data set."""
    for path in sorted(FOLDER.rglob("*.yaml")):
        path.write_text(render(yaml.safe_load(path.read_text(encoding="utf-8")), bi_views()), encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
