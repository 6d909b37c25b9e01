"""The report as one page without scripts or outside addresses, for screen, phone and print.

Belongs here: how it looks. Does not belong here: what is said (`sections`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template

from pipelines.decision.plan import Decision
from pipelines.decision.report.sections import headline, sections
from pipelines.decision.report.text import cell

TEMPLATES = Path(__file__).resolve().parent


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = cell
    return environment.get_template("page.html.jinja")


def as_html(decision: Decision) -> str:
    """The whole page."""
    years = decision.workload.horizon_years
    bars = []
    by = decision.market.usd_per_eur if decision.workload.currency == "EUR" else 1.0
    most = max((band["high"] for o in decision.options if (band := o.cost_usd[years])), default=0.0)
    for option in decision.options:
        band = option.cost_usd[years]
        if band is not None and most > 0:
            shares = {end: 100 * usd / most for end, usd in band.items()}
            bars.append({"title": option.title, "usd": f"{band['base'] / by:,.0f}", **shares})
    return _template().render(
        title=decision.workload.name,
        headline=headline(decision),
        sections=sections(decision),
        bars=bars,
        years=years,
        currency=decision.workload.currency,
    )
