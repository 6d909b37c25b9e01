"""The asker's figures held against what is known: one far beyond all of it is a mistake of unit or of a separator, and is refused.

Pure. Belongs here: how far is too far. Does not belong here: the fields (`quotes`), putting figures beside the market's (`own_figures`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.decision.documents import WorkloadError
from pipelines.decision.market import Assumption, Market
from pipelines.decision.quotes import Ends
from pipelines.decision.scenario import TIME_BETWEEN_INTERRUPTIONS
from pipelines.decision.workload import Workload

# How many times the greatest or the least known figure is of this world.
BEYOND = 10
# Zero of these divides.
NEVER_ZERO = ("whole_machine_packing_share", "packing_share", TIME_BETWEEN_INTERRUPTIONS, "life_years", "server_over_cards")
# No accelerator with its share of a server takes more: a figure in watts does.
MOST_KW_PER_GPU = 10.0
# Companies of the countries that are known pay between these for a kilowatt-hour.
USD_PER_KWH = (0.03, 0.4)


def refuse_what_cannot_be(market: Market, workload: Workload, usd_per_unit: float) -> None:
    """Raises WorkloadError for a quote far beyond what is known of its kind; `market` is without the quotes."""
    for field, value, known, least_matters in _quoted(market, workload, usd_per_unit):
        figures = [figure for figure in known if figure > 0]
        lowest, highest = (min(figures) / BEYOND, max(figures) * BEYOND) if figures else (0.0, float("inf"))
        if value > highest or (least_matters and 0 < value < lowest):
            found = f"quotes.{field} is {value:g}, expected {lowest if least_matters else 0:,.4g} to {highest:,.4g}"
            raise WorkloadError(f"{found}: ten times beyond what is known of its kind stands a mistake of unit or of a separator")


def in_range(name: str, stated: Ends | float, table: Assumption) -> None:
    """Raises WorkloadError for an assumption far beyond the table's own range."""
    highest = max(table.band.values()) * BEYOND
    if name.endswith("_share") or name == "discount_rate":
        highest = min(highest, 1.0)
    lowest = min(table.band.values()) / BEYOND if name in NEVER_ZERO else 1.0 if name == "pue" else 0.0
    for value in (stated.low, stated.base, stated.high) if isinstance(stated, Ends) else (stated,):
        if not lowest <= value <= highest:
            raise WorkloadError(f"assumptions.{name} is {value:g}, expected {lowest:g} to {highest:g} {table.unit}")


def _quoted(market: Market, workload: Workload, by: float) -> Iterator[tuple[str, float, Iterable[float], bool]]:
    """Each figure that is quoted, as it is written, with the known ones of its kind in its unit, and whether it can be too small.

    Used servers may cost next to nothing, and a rate at one request at a time is small.
    """
    quotes = workload.quotes
    for n, server in enumerate(quotes.servers):
        known = [end / by / s.gpu_count * server.gpu_count for s in market.servers if s.gpu == server.gpu for end in s.usd.values()]
        yield f"servers.{n}.price", server.price, known, not server.used
        if server.load_kw is not None:
            yield f"servers.{n}.load_kw", server.load_kw, [MOST_KW_PER_GPU / BEYOND * server.gpu_count], False
    for n, rent in enumerate(quotes.rents):
        asked = [o.usd_per_gpu_hour["base"] / by * rent.gpu_count for o in market.offers if o.gpu == rent.gpu]
        yield f"rents.{n}.price_per_hour", rent.price_per_hour, asked, True
    for n, tokens in enumerate(quotes.tokens):
        yield f"tokens.{n}.input", tokens.input, [seller.input_usd / by for seller in market.api_offers], True
        yield f"tokens.{n}.output", tokens.output, [seller.output_usd / by for seller in market.api_offers], True
    for n, rate in enumerate(quotes.rates):
        of_device = [m.rate_per_gpu for m in market.measurements if m.gpu == rate.gpu]
        rates = of_device or [m.rate_per_gpu for m in market.measurements]
        yield f"rates.{n}.tokens_per_second", rate.tokens_per_second, [per_gpu * rate.gpu_count for per_gpu in rates], False
    if quotes.electricity_per_kwh is not None:
        yield "electricity_per_kwh", quotes.electricity_per_kwh, [usd / by for usd in USD_PER_KWH], True
    for field, value, table in (
        ("salary_per_year", quotes.salary_per_year, market.assumptions.get(("staff_usd_per_fte_year", None))),
        ("colocation_per_kw_month", quotes.colocation_per_kw_month, market.assumptions.get(("colocation_usd_per_kw_month", None))),
    ):
        if value is not None and table is not None:
            yield field, value, [end / by for end in table.band.values()], True
