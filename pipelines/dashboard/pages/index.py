"""Overview: the answer of the day for the chosen workload, and what it rests on."""

from pipelines.dashboard.charts.bars import cost_of_ways
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import HEALTH, OWN_OR_RENT, QUESTION

_WHERE = {"model": "model", "precision": "precision", "workload": "workload", "group": "country_group"}

PAGE = Page(
    order=1,
    choices=("model", "precision", "workload", "group", "currency"),
    queries={"answer": OWN_OR_RENT, "health": HEALTH},
    figures=(
        Figure(
            "ways",
            "derived_ways",
            (
                Shown("option", "option"),
                Shown("gpu"),
                Shown("provider"),
                Shown("usd_per_million_output_tokens", "usd"),
                Shown("low", "usd"),
                Shown("high", "usd"),
                Shown("price_age_days", "days"),
            ),
            cost_of_ways,
            _WHERE,
            draws={"base": "usd_per_million_output_tokens", "low": "low", "high": "high", "option": "option"},
            label=("option", "gpu", "provider"),
        ),
        Figure(
            "sellers",
            "answer",
            (
                Shown("rent_gpu"),
                Shown("seller_count", "count"),
                Shown("sellers"),
                Shown("least_usd_per_gpu_hour", "usd"),
                Shown("p25_usd_per_gpu_hour", "usd"),
                Shown("median_usd_per_gpu_hour", "usd"),
                Shown("p75_usd_per_gpu_hour", "usd"),
                Shown("oldest_price_age_days", "days"),
            ),
            None,
            _WHERE,
        ),
    ),
    defaults=QUESTION,
)
