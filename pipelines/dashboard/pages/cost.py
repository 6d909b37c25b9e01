"""Cost per token: every way to serve the chosen model today, and how it moved on one accelerator."""

from pipelines.dashboard.charts.bars import cost_of_ways
from pipelines.dashboard.charts.lines import cost_over_time
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import GROUPS, QUESTION, RATES, TODAY

_COST = f"""
    SELECT c.on_date, model, coalesce(precision, '') AS precision, workload, option, gpu, provider, country,
           low_usd_per_million_output_tokens, base_usd_per_million_output_tokens, high_usd_per_million_output_tokens,
           price_basis, price_as_of_on, price_age_days, price_source AS source, r.eur_per_usd
    FROM bi.cost_per_million_tokens AS c ASOF LEFT JOIN {RATES} AS r ON r.rate_on <= c.on_date
    WHERE window_days = 30 AND base_usd_per_million_output_tokens IS NOT NULL
"""

PAGE = Page(
    order=3,
    choices=("model", "precision", "workload", "gpu", "group", "option", "currency"),
    queries={
        "today": f"{_COST} AND c.on_date = {TODAY} ORDER BY model, workload, base_usd_per_million_output_tokens",
        # Month ends, and the last day; the cheapest seller of each option, on one accelerator.
        "history": f"""
            SELECT * FROM ({_COST}) AS c WHERE on_date = last_day(on_date) OR on_date = {TODAY}
            QUALIFY row_number() OVER (
                PARTITION BY on_date, model, precision, workload, option, gpu
                ORDER BY base_usd_per_million_output_tokens, provider, country
            ) = 1
            ORDER BY model, precision, workload, gpu, option, on_date
        """,
        "groups": GROUPS,
    },
    figures=(
        Figure(
            "cost_today",
            "today",
            (
                Shown("option", "option"),
                Shown("gpu", "gpu"),
                Shown("base_usd_per_million_output_tokens", "usd"),
                Shown("low_usd_per_million_output_tokens", "usd"),
                Shown("high_usd_per_million_output_tokens", "usd"),
                Shown("provider"),
                Shown("country", "place"),
                Shown("price_basis", "basis"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
                Shown("source"),
            ),
            cost_of_ways,
            {"model": "model", "precision": "precision", "workload": "workload", "gpu": "gpu", "option": "option"},
            "country",
            draws={
                "base": "base_usd_per_million_output_tokens",
                "low": "low_usd_per_million_output_tokens",
                "high": "high_usd_per_million_output_tokens",
                "option": "option",
            },
            label=("option", "gpu", "provider", "country"),
        ),
        Figure(
            "cost_history",
            "history",
            (
                Shown("on_date", "day"),
                Shown("option", "option"),
                Shown("base_usd_per_million_output_tokens", "usd"),
                Shown("gpu", "gpu"),
                Shown("provider"),
                Shown("price_basis", "basis"),
                Shown("price_age_days", "days"),
            ),
            cost_over_time,
            {"model": "model", "precision": "precision", "workload": "workload", "gpu": "gpu", "option": "option"},
            draws={
                "on_date": "on_date",
                "base": "base_usd_per_million_output_tokens",
                "option": "option",
                "basis": "price_basis",
                "run": "run",
                "provider": "provider",
                "price_age_days": "price_age_days",
            },
        ),
    ),
    defaults={**QUESTION, "gpu": "h100-sxm-80"},
    optional=frozenset({"gpu", "option"}),
    by_model=frozenset({"history"}),
)
