"""The tools of a buyer's assistant, by the Model Context Protocol: prices, the answer of the day, break-even, a decision.

Belongs here: the handful of tools. Does not belong here: SQL from outside (a tool takes values, never a statement), any formula.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from pipelines import decision
from pipelines.catalogue.published_sql import BI, bi_views
from pipelines.platform.settings import Settings
from pipelines.publication.reader import NotPublishedError, QueryError
from pipelines.serve.views import CurrentVersion, RequestError, as_rows, filtered

# An assistant reads every row that it is given, and the cheapest come first.
_MOST_ROWS = 40
_LONGEST_WORKLOAD = 64_000
_PRICE = [
    "seller",
    "country",
    "countries",
    "region",
    "instance_type",
    "gpu_count",
    "purchase_option",
    "commitment_months",
    "trust_tier",
    "headquarters_country",
    "usd_per_gpu_hour",
    "eur_per_gpu_hour",
    "price_basis",
    "price_as_of_on",
    "price_age_days",
    "stock",
    "is_third_party",
    "source_url",
    "licence",
]
_BREAK_EVEN = [
    "precision",
    "workload",
    "utilisation_share",
    "comparator",
    "comparator_provider",
    "comparator_region",
    "seller_count",
    "rented_usd_per_hour",
    "low_break_even_utilisation_share",
    "base_break_even_utilisation_share",
    "high_break_even_utilisation_share",
    "base_payback_months",
    "price_as_of_on",
    "price_age_days",
    "reason_no_figure",
]


def create_assistant(settings: Settings) -> MCPServer:
    """The server with its tools; each answer says its day, ages and how many sellers stand behind it, as the views do."""
    server = MCPServer(
        "breakeven", instructions="Dated list prices of GPUs and tokens, and what follows from them. Say ages and sellers with a figure."
    )
    current = CurrentVersion(settings)

    def rows(view: str, columns: list[str] | None = None, **filters: str | None) -> dict[str, Any]:
        given = {name: value for name, value in filters.items() if value is not None}
        with _told(), current.cursor() as cursor:
            for name, value in given.items():
                known = [str(found) for (found,) in cursor.execute(f'SELECT DISTINCT "{name}" FROM {BI}."{view}" ORDER BY ALL').fetchall()]
                if value not in known:
                    raise ToolError(f"{name} is {value!r}, expected one of {', '.join(known)}")
            [(day,)] = cursor.execute(f"SELECT max(as_of_on) FROM {BI}.data_age").fetchall()
            found = filtered(current, bi_views()[view], given, _MOST_ROWS)
        table = found.rows.select(columns) if columns else found.rows
        return {"day": str(day), **given, "has_more": found.has_more, "rows": as_rows(table)}

    @server.tool()
    def price_today(gpu: str, purchase_option: str | None = None, country: str | None = None) -> dict[str, Any]:
        """Last known rented prices of a GPU such as h100-sxm-80, cheapest first, with age, seller and place (country: FR, US, ...).

        Options: on_demand, spot, commitment. `has_more`: there are dearer ones; ask by option or country.
        """
        return rows("price_today", _PRICE, gpu=gpu, purchase_option=purchase_option, country=country)

    @server.tool()
    def compare(model: str, precision: str | None = None, workload: str | None = None, country_group: str = "world") -> dict[str, Any]:
        """Own, rent, commit or buy tokens for a model, by precision and workload: the answer, its rival, sellers, ages, what changes it.

        Groups of countries: world, EU, or a country such as FR.
        """
        return rows("own_or_rent", model=model, precision=precision, workload=workload, country_group=country_group)

    @server.tool()
    def break_even(server_hardware: str, model: str, workload: str | None = None) -> dict[str, Any]:
        """From which use an owned server such as 8x-h100-sxm-80 is cheaper than renting the like, on the day of the version."""
        with _told(), current.cursor() as cursor:
            [(day,)] = cursor.execute("SELECT max(on_date) FROM bi.break_even").fetchall()
        return rows("break_even", _BREAK_EVEN, server=server_hardware, model=model, workload=workload, on_date=str(day), window_days="30")

    @server.tool()
    def decide(workload_yaml: str) -> dict[str, Any]:
        """Own, rent, commit, buy tokens or mix for a workload in YAML, as `breakeven decide` answers it; its load stands in it."""
        if len(workload_yaml) > _LONGEST_WORKLOAD:
            raise ToolError(f"the workload has {len(workload_yaml)} characters, expected at most {_LONGEST_WORKLOAD}")
        with _told(), tempfile.TemporaryDirectory(prefix="breakeven-decide-") as folder:
            path = Path(folder) / "workload.yaml"
            path.write_text(workload_yaml, encoding="utf-8")
            try:
                workload, load = decision.load_workload(path)
            except decision.WorkloadError as error:
                # Where it was put for a moment is no name that whoever asked knows.
                raise ToolError(str(error).replace(f"{folder}/", "")) from error
            with current.cursor() as cursor:
                found: dict[str, Any] = decision.as_dict(decision.decide(workload, load, decision.read_market(cursor, workload)))
        return found

    return server


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a question, in words for whoever asked: of any other error the assistant hears only that there was one."""
    try:
        yield
    except (RequestError, QueryError, decision.WorkloadError) as error:
        raise ToolError(str(error)) from error
    except NotPublishedError as error:
        raise ToolError("nothing is published yet; run `breakeven refresh` first") from error
    except duckdb.CatalogException as error:
        raise ToolError("the published version was made by other software than this; run `breakeven refresh` first") from error
