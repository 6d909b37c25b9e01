"""The report as one page without scripts or outside addresses, for screen, phone and print.

Belongs here: how it looks. Does not belong here: what is said (`sections`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template

from pipelines.decision.plan import Decision
from pipelines.decision.report.sections import Verbatim, sections
from pipelines.decision.report.sentences import headline
from pipelines.decision.report.speech import speech
from pipelines.decision.report.text import cell

TEMPLATES = Path(__file__).resolve().parent


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = cell
    environment.tests["verbatim"] = lambda content: isinstance(content, Verbatim)
    return environment.get_template("page.html.jinja")


def as_html(decision: Decision, language: str = "en") -> str:
    """The whole page."""
    years, t = decision.workload.horizon_years, speech(language)
    bars = []
    by = decision.usd_per_unit
    most = max((band["high"] for o in decision.options if (band := o.cost_usd[years])), default=0.0)
    for option in decision.options:
        band = option.cost_usd[years]
        if band is not None and most > 0:
            shares = {end: 100 * usd / most for end, usd in band.items()}
            bars.append({"title": t.of(option.title), "usd": t.amount(band["base"] / by), **shares})
    return _template().render(
        title=decision.workload.name,
        headline=headline(decision, t),
        sections=sections(decision, t),
        bars=bars,
        language=language,
        none=t("none"),
        chart=t("Cost over {horizon} in {money}: base, and low to high", horizon=t.years(years), money=decision.workload.currency),
        currency=decision.workload.currency,
    )
