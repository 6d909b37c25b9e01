"""Sovereignty: what it costs to ask for a place."""

from pipelines.dashboard.charts.bars import groups, requirements
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import OWN_OR_RENT, QUESTION, RATE

_SOVEREIGNTY = (
    f"SELECT s.*, r.eur_per_usd FROM bi.sovereignty AS s CROSS JOIN {RATE} AS r ORDER BY gpu, option, least_usd_per_gpu_hour, requirement"
)

PAGE = Page(
    order=5,
    choices=("gpu", "option", "model", "precision", "workload", "currency"),
    queries={"answer": OWN_OR_RENT, "sovereignty": _SOVEREIGNTY},
    figures=(
        Figure(
            "requirements",
            "sovereignty",
            (
                Shown("requirement", "requirement"),
                Shown("least_usd_per_gpu_hour", "usd"),
                Shown("surcharge_ratio", "ratio"),
                Shown("median_usd_per_gpu_hour", "usd"),
                Shown("median_surcharge_ratio", "ratio"),
                Shown("seller_count", "count"),
                Shown("provider"),
                Shown("price_age_days", "days"),
                Shown("is_verified", "yes"),
                Shown("sellers"),
            ),
            requirements,
            {"gpu": "gpu", "option": "option"},
            draws={"base": "least_usd_per_gpu_hour", "median": "median_usd_per_gpu_hour"},
            label=("requirement",),
        ),
        Figure(
            "groups",
            "derived_groups",
            (
                Shown("country_group", "place"),
                Shown("base_usd_per_million_output_tokens", "usd"),
                Shown("option", "option"),
                Shown("gpu", "gpu"),
                Shown("provider"),
                Shown("country", "place"),
                Shown("rent_usd_per_million_output_tokens", "usd"),
                Shown("surcharge_share", "ratio"),
                Shown("price_age_days", "days"),
                Shown("seller_count", "count"),
                Shown("sellers"),
            ),
            groups,
            {"model": "model", "precision": "precision", "workload": "workload"},
            draws={"base": "base_usd_per_million_output_tokens", "option": "option"},
            label=("country_group",),
        ),
    ),
    defaults={**QUESTION, "gpu": "h100-sxm-80", "option": "on_demand"},
)
