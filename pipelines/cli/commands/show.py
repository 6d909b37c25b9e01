"""`breakeven show`: the answers of the day as tables that fit a terminal: prices, market, cost, break-even, what moved."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.exits import GOOD
from pipelines.platform.locale import LANGUAGES, UNKNOWN, Locale, load_locale
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_WIDTH, _BAR = 80, 10
_WORDS = Path(__file__).resolve().parents[1] / "locales"
_OPTION = "CASE WHEN purchase_option = 'commitment' THEN 'commitment_' || commitment_months || '_months' ELSE purchase_option END"


@dataclass(frozen=True)
class _Table:
    """A table: its query, and how each column is written. `bar` is the column that a bar stands for."""

    sql: str
    kinds: dict[str, str]
    bar: str | None = None


_TABLES = {
    "prices": _Table(
        f"""
        SELECT seller, country, {_OPTION} AS option, min(usd_per_gpu_hour) AS "USD/h",
               first(eur_per_gpu_hour ORDER BY usd_per_gpu_hour, price_age_days, eur_per_gpu_hour) AS "EUR/h",
               first(price_age_days ORDER BY usd_per_gpu_hour, price_age_days, eur_per_gpu_hour) AS days
        FROM bi.price_today WHERE gpu = $gpu AND usd_per_gpu_hour IS NOT NULL AND is_on_sale GROUP BY ALL ORDER BY 4, 1, 2, 3 LIMIT $limit
        """,
        {"option": "option", "USD/h": "number", "EUR/h": "number", "days": "count"},
        "USD/h",
    ),
    "market": _Table(
        """
        SELECT gpu, seller_count AS sellers, cheapest_usd_per_gpu_hour AS least, p25_usd_per_gpu_hour AS p25,
               median_usd_per_gpu_hour AS median,
               p75_usd_per_gpu_hour AS p75, last_known_share AS known,
               date_diff('day', newest_price_on, (SELECT max(as_of_on) FROM bi.data_age)) AS days
        FROM bi.market_today WHERE purchase_option = 'on_demand' AND trust_group = 'professional' AND country_group = $group
        ORDER BY seller_count DESC, gpu LIMIT $limit
        """,
        {
            "sellers": "count",
            "least": "number",
            "p25": "number",
            "median": "number",
            "p75": "number",
            "known": "share",
            "days": "count",
        },
    ),
    "cost": _Table(
        """
        SELECT option, gpu, provider AS seller, low_usd_per_million_output_tokens AS low, base_usd_per_million_output_tokens AS usd,
               high_usd_per_million_output_tokens AS high, price_age_days AS days
        FROM bi.cheapest_today WHERE model = $model AND (precision = $precision OR option = 'api') AND workload = $workload
        ORDER BY place LIMIT $limit
        """,
        {"option": "option", "low": "number", "usd": "number", "high": "number", "days": "count"},
        "usd",
    ),
    "breakeven": _Table(
        """
        SELECT server, comparator AS against, comparator_provider AS seller, seller_count AS sellers,
               low_break_even_utilisation_share AS low, base_break_even_utilisation_share AS use, high_break_even_utilisation_share AS high,
               price_age_days AS days
        FROM bi.break_even
        WHERE model = $model AND precision = $precision AND workload = $workload AND window_days = 30
          AND on_date = (SELECT max(on_date) FROM bi.break_even) AND comparator_count > 0
        ORDER BY server, base_break_even_utilisation_share DESC LIMIT $limit
        """,
        {"against": "comparator", "sellers": "count", "low": "share", "use": "share", "high": "share", "days": "count"},
    ),
    "moved": _Table(
        f"""
        SELECT moved_on AS day, provider AS seller, gpu, {_OPTION} AS option, usd_per_gpu_hour_before AS before, usd_per_gpu_hour AS now,
               change_ratio AS change
        FROM bi.what_moved WHERE ($gpu = '' OR gpu = $gpu) ORDER BY moved_on DESC, abs(change_ratio) DESC, seller, region LIMIT $limit
        """,
        {"day": "date", "option": "option", "before": "number", "now": "number", "change": "change"},
    ),
}


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("show", help="today's prices, market, cost, break-even, or what moved, as a table")
    parser.add_argument("what", choices=sorted(_TABLES), metavar="WHAT", help=f"one of {', '.join(_TABLES)}")
    parser.add_argument("--gpu", default=None, metavar="GPU", help="such as h100-sxm-80, for prices and moved")
    parser.add_argument("--group", default="world", metavar="PLACE", help="for market: world, EU, Europe or a country (default world)")
    parser.add_argument("--model", default="Llama-3.1-70B", help="for cost and breakeven (default Llama-3.1-70B)")
    parser.add_argument("--precision", default="fp8", help="for cost and breakeven (default fp8)")
    parser.add_argument("--workload", default="business_hours_1024_1024", help="for cost and breakeven (default business_hours_1024_1024)")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most N rows (default 20)")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="how words and figures are written (default en)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the table, with colours on a terminal and plain in a pipe."""
    table = _TABLES[options.what]
    gpu = options.gpu or ("" if options.what == "moved" else "h100-sxm-80")
    asked = {
        "gpu": gpu,
        "group": options.group,
        "model": options.model,
        "precision": options.precision,
        "workload": options.workload,
        "limit": options.limit,
    }
    used = {name: value for name, value in asked.items() if f"${name}" in table.sql}
    with reader.published(settings) as connection:
        found = reader.rows(connection, table.sql, used)
        [(day,)] = connection.execute("SELECT max(as_of_on) FROM bi.data_age").fetchall()
    locale = load_locale(options.language, _WORDS)
    _print(table, locale.text(f"show.{options.what}", **asked), found, day, locale)
    return GOOD


def _print(table: _Table, title: str, found: list[dict[str, Any]], day: date, locale: Locale) -> None:
    from rich import box  # noqa: PLC0415  (only this command draws tables)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=_WIDTH, no_color=True, highlight=False)
    console.print(f"{title} ({locale.day(day)})", style="bold", markup=False)
    if not found:
        console.print(locale.text("show.none"))
        return
    drawn = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, padding=(0, 1), pad_edge=False)
    written = [[_cell(locale, table.kinds.get(name), value) for name, value in row.items()] for row in found]
    names = [locale.name("show.column", name) for name in found[0]]
    widths = [max(map(len, column)) for column in zip(names, *written, strict=True)]
    is_text = [table.kinds.get(name) in (None, "option", "comparator") for name in found[0]]
    # Names may be cut where the width asks for it, figures and dates never.
    excess = sum(widths) + 2 * len(widths) + (_BAR + 2 if table.bar else 0) - console.width
    for _ in range(max(excess, 0)):
        longest = max((place for place, text in enumerate(is_text) if text), key=widths.__getitem__)
        widths[longest] = max(widths[longest] - 1, 1)
    for name, width, text in zip(names, widths, is_text, strict=True):
        drawn.add_column(name, justify="left" if text else "right", no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)
    if table.bar:
        drawn.add_column("", no_wrap=True)
    lengths = [row[table.bar] or 0 for row in found] if table.bar else []
    for place, cells in enumerate(written):
        drawn.add_row(*cells, *(["█" * round(_BAR * lengths[place] / max(lengths))] if any(lengths) else []))
    console.print(drawn)


def _cell(locale: Locale, kind: str | None, value: Any) -> str:
    match None if value is None else kind:
        case "number":
            return locale.number(value)
        case "count":
            return locale.count(value)
        case "share":
            return locale.share(value)
        case "change":
            return ("+" if value > 0 else "") + locale.share(value, 1)
        case None | "date":
            return UNKNOWN if value is None else str(value)
        case _:
            return locale.name(str(kind), str(value))
