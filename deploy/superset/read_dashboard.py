"""Import the dashboard of this folder into Superset and read every chart of it, from Superset's own environment.

    SUPERSET_CONFIG_PATH=... VENV/bin/python read_dashboard.py BREAKEVEN_DUCKDB < lines

The metadata database is set up (`superset db upgrade`, `superset init`) and has a user `admin`. For every line on standard input each
chart is read again by the same process, so that a refresh can pass between two lines; a line of JSON on standard output tells the day of
the version and the rows of each chart. What is shown and how it looks is in the YAML beside this file.
"""

import json
import sys
from pathlib import Path

from superset.app import create_app

FOLDER = Path(__file__).resolve().parent
DATABASE = "databases/breakeven.yaml"
PLACE = "/path/to/data/published/breakeven.duckdb"


def bundle(file: str) -> dict[str, str]:
    """The export with the address of this warehouse."""
    found = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")}
    return {**found, DATABASE: found[DATABASE].replace(PLACE, file)}


def read(chart: object) -> list[dict[str, object]]:
    """The rows of a chart, asked as the browser asks for them."""
    from superset.charts.schemas import ChartDataQueryContextSchema
    from superset.commands.chart.data.get_data_command import ChartDataCommand

    form = chart.form_data
    query = {
        "columns": form.get("all_columns") or [form["x_axis"]],
        "filters": [{"col": f["subject"], "op": f["operator"], "val": f["comparator"]} for f in form["adhoc_filters"]],
        "orderby": [json.loads(order) for order in form.get("order_by_cols", [])],
        "row_limit": form["row_limit"],
        **({"metrics": form["metrics"]} if "metrics" in form else {}),
    }
    asked = {"datasource": {"id": chart.datasource_id, "type": "table"}, "queries": [query], "force": True, "form_data": form}
    command = ChartDataCommand(ChartDataQueryContextSchema().load({**asked, "result_type": "full", "result_format": "json"}))
    command.validate()
    rows: list[dict[str, object]] = command.run()["queries"][0]["data"]
    return rows


def main() -> None:
    """Import, then read once for each line."""
    answers, sys.stdout = sys.stdout, sys.stderr  # Superset prints as it starts
    with create_app().app_context():
        from flask import g
        from superset import db, security_manager
        from superset.commands.dashboard.importers.v1 import ImportDashboardsCommand
        from superset.models.dashboard import Dashboard

        g.user = security_manager.find_user("admin")
        ImportDashboardsCommand(bundle(sys.argv[1]), overwrite=True).run()
        dashboard = db.session.query(Dashboard).filter_by(slug="breakeven").one()
        for _ in sys.stdin:
            rows = {chart.slice_name: read(chart) for chart in dashboard.slices}
            day = max(str(row["as_of_on"]) for found in rows.values() for row in found if "as_of_on" in row)
            print(json.dumps({"day": day, "rows": {name: len(found) for name, found in rows.items()}}), file=answers, flush=True)


if __name__ == "__main__":
    main()
