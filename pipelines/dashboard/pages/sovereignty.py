"""Sovereignty: what it costs to ask for a place."""

from pipelines.dashboard.charts.bars import groups
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import OWN_OR_RENT, QUESTION

PAGE = Page(
    order=5,
    choices=("model", "precision", "workload", "currency"),
    queries={"answer": OWN_OR_RENT},
    figures=(
        Figure(
            "groups",
            "derived_groups",
            (
                Shown("country_group", "place"),
                Shown("answer", "answer_word"),
                Shown("option", "option"),
                Shown("gpu"),
                Shown("provider"),
                Shown("country"),
                Shown("base_usd_per_million_output_tokens", "usd"),
                Shown("surcharge_share", "ratio"),
                Shown("seller_count", "count"),
                Shown("sellers"),
                Shown("price_age_days", "days"),
            ),
            groups,
            {"model": "model", "precision": "precision", "workload": "workload"},
            draws={"base": "base_usd_per_million_output_tokens", "option": "option"},
            label=("country_group",),
        ),
    ),
    defaults=QUESTION,
)
