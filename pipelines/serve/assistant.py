"""The tools of a buyer's assistant, by the Model Context Protocol: prices, the answer of the day, break-even, a decision.

Belongs here: the handful of tools. Does not belong here: SQL from outside (a tool takes values, never a statement), any formula.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

from pipelines import decision
from pipelines.catalogue.published_sql import bi_views
from pipelines.platform.settings import Settings
from pipelines.serve.views import CurrentVersion, as_rows, filtered

_MOST = 100
_LONGEST_WORKLOAD = 64_000


def create_assistant(settings: Settings) -> MCPServer:
    """The server with its tools; each answer says its day, ages and how many sellers stand behind it, as the views do."""
    server = MCPServer(
        "breakeven", instructions="Dated list prices of GPUs and tokens, and what follows from them. Say ages and sellers with a figure."
    )

    current = CurrentVersion(settings)

    def rows(view: str, **filters: str | None) -> list[dict[str, Any]]:
        given = {name: value for name, value in filters.items() if value is not None}
        return as_rows(filtered(current, bi_views()[view], given, _MOST))

    @server.tool()
    def price_today(gpu: str, purchase_option: str | None = None, country: str | None = None) -> list[dict[str, Any]]:
        """Last known rented prices of a GPU such as h100-sxm-80, with age, seller and place. Options: on_demand, spot, commitment."""
        view = "price_today" if "price_today" in bi_views() else "price"
        return rows(view, gpu=gpu, purchase_option=purchase_option, country=country)

    @server.tool()
    def compare(
        model: str, precision: str | None = None, workload: str | None = None, country_group: str = "world"
    ) -> list[dict[str, Any]]:
        """Own, rent, commit or buy tokens for a model, by precision and workload: the answer, its rival, sellers, ages, what changes it."""
        return rows("own_or_rent", model=model, precision=precision, workload=workload, country_group=country_group)

    @server.tool()
    def break_even(server_hardware: str, model: str, workload: str | None = None) -> list[dict[str, Any]]:
        """From which use an owned server such as 8x-h100-sxm-80 is cheaper than renting the like, on the day of the version."""
        with current.cursor() as cursor:
            [(day,)] = cursor.execute("SELECT max(on_date) FROM bi.break_even").fetchall()
        return rows("break_even", server=server_hardware, model=model, workload=workload, on_date=str(day), window_days="30")

    @server.tool()
    def decide(workload_yaml: str) -> dict[str, Any]:
        """Own, rent, commit, buy tokens or mix for a workload in YAML, as `breakeven decide` answers it; its load stands in it."""
        if len(workload_yaml) > _LONGEST_WORKLOAD:
            raise ValueError(f"the workload has {len(workload_yaml)} characters, expected at most {_LONGEST_WORKLOAD}")
        with tempfile.TemporaryDirectory(prefix="breakeven-decide-") as folder:
            path = Path(folder) / "workload.yaml"
            path.write_text(workload_yaml, encoding="utf-8")
            workload, load = decision.load_workload(path)
        with current.cursor() as cursor:
            found: dict[str, Any] = decision.as_dict(decision.decide(workload, load, decision.read_market(cursor, workload)))
        return found

    return server
