"""What the dashboard shows, read from the views of schema `bi`.

Belongs here: the queries and the model and workload that the page opens with. Does not belong here: charts.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

MODEL, PRECISION, WORKLOAD, WINDOW_DAYS = "Llama-3.1-70B", "fp8", "business_hours_1024_1024", 30
GPU = "h100-sxm-80"


@dataclass(frozen=True)
class Shown:
    """Frames behind the charts and tables of the page."""

    as_of_on: str
    price: pl.DataFrame
    cost: pl.DataFrame
    cheapest: pl.DataFrame
    break_even: pl.DataFrame
    ages: pl.DataFrame


def read(connection: duckdb.DuckDBPyConnection) -> Shown:
    """Read everything for the page from an open version."""
    question = {"model": MODEL, "precision": PRECISION, "workload": WORKLOAD, "window": WINDOW_DAYS, "gpu": GPU}
    [(as_of_on,)] = connection.execute("SELECT max(as_of_on) FROM bi.data_age").fetchall()
    return Shown(as_of_on=str(as_of_on), **{name: _frame(connection, sql, question) for name, sql in _QUERIES.items()})


def _frame(connection: duckdb.DuckDBPyConnection, sql: str, question: dict[str, object]) -> pl.DataFrame:
    used = {name: value for name, value in question.items() if f"${name}" in sql}
    return pl.DataFrame(connection.sql(sql, params=used).to_arrow_table())


_OPTION = """CASE WHEN purchase_option = 'commitment' THEN 'commitment_' || commitment_months || '_months' ELSE purchase_option END"""
# Weekly points are enough for lines over years; the last day is always among them.
_SHOWN_DAY = "(dayofweek(on_date) = 1 OR on_date = (SELECT max(as_of_on) FROM bi.data_age))"

_QUERIES = {
    "price": f"""
        SELECT on_date, {_OPTION} AS option, provider, min(mean_usd_per_gpu_hour) AS usd_per_gpu_hour,
               min_by(region, mean_usd_per_gpu_hour) AS region
        FROM bi.price_rolling
        WHERE gpu = $gpu AND gpu_count = 8 AND window_days = $window AND {_SHOWN_DAY}
        GROUP BY ALL ORDER BY ALL""",
    "cost": f"""
        SELECT on_date, option, min(base_usd_per_million_output_tokens) AS usd,
               min_by(price_basis, base_usd_per_million_output_tokens) AS basis,
               min_by(gpu, base_usd_per_million_output_tokens) AS gpu,
               min_by(provider, base_usd_per_million_output_tokens) AS provider,
               min_by(price_age_days, base_usd_per_million_output_tokens) AS age_days
        FROM bi.cost_per_million_tokens
        WHERE model = $model AND (precision = $precision OR option = 'api') AND workload = $workload AND window_days = $window
          AND base_usd_per_million_output_tokens IS NOT NULL AND {_SHOWN_DAY}
        GROUP BY on_date, option ORDER BY option, on_date""",
    "cheapest": """
        SELECT option, gpu, provider, country, base_usd_per_million_output_tokens AS usd_per_million_output_tokens,
               low_usd_per_million_output_tokens AS low, high_usd_per_million_output_tokens AS high,
               base_eur_per_million_output_tokens AS eur_per_million_output_tokens, price_as_of_on, price_age_days
        FROM bi.cheapest_today
        WHERE model = $model AND (precision = $precision OR option = 'api') AND workload = $workload
        ORDER BY place LIMIT 12""",
    "break_even": """
        SELECT server, comparator, low_break_even_utilisation_share AS low, base_break_even_utilisation_share AS base,
               coalesce(high_break_even_utilisation_share, 1) AS high, utilisation_share AS use,
               comparator_provider || ' ' || comparator_region AS who, base_payback_months, price_as_of_on,
               price_age_days AS age_days, reason_no_figure
        FROM bi.break_even
        WHERE model = $model AND precision = $precision AND workload = $workload AND window_days = $window
          AND on_date = (SELECT max(as_of_on) FROM bi.data_age)
        ORDER BY server, comparator""",
    "ages": """SELECT source, status, newest_figure_on, age_days, ships_with_the_project, detail FROM bi.data_age ORDER BY ALL""",
}
