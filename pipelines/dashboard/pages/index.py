"""Overview: the answer of the day for the chosen workload, and what it rests on."""

from pipelines.dashboard.charts.bars import cost_of_ways
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import HEALTH, OWN_OR_RENT, QUESTION, WAYS

_WHERE = {"model": "model", "precision": "precision", "workload": "workload", "group": "country_group"}

PAGE = Page(
    order=1,
    choices=("model", "precision", "workload", "group", "currency"),
    queries={"ways": WAYS, "answer": OWN_OR_RENT, "health": HEALTH},
    figures=(
        Figure(
            "ways",
            "ways",
            (
                Shown("option", "option"),
                Shown("gpu", "gpu"),
                Shown("base_usd_per_million_output_tokens", "usd"),
                Shown("low_usd_per_million_output_tokens", "usd"),
                Shown("high_usd_per_million_output_tokens", "usd"),
                Shown("provider"),
                Shown("country", "place"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
                Shown("seller_count", "count"),
            ),
            cost_of_ways,
            _WHERE,
            draws={
                "base": "base_usd_per_million_output_tokens",
                "low": "low_usd_per_million_output_tokens",
                "high": "high_usd_per_million_output_tokens",
                "option": "option",
            },
            label=("option", "gpu", "provider"),
        ),
        Figure(
            "sellers",
            "answer",
            (
                Shown("rent_gpu", "gpu"),
                Shown("seller_count", "count"),
                Shown("least_usd_per_gpu_hour", "usd"),
                Shown("p25_usd_per_gpu_hour", "usd"),
                Shown("median_usd_per_gpu_hour", "usd"),
                Shown("p75_usd_per_gpu_hour", "usd"),
                Shown("oldest_price_age_days", "days"),
                Shown("sellers"),
            ),
            None,
            _WHERE,
        ),
    ),
    defaults=QUESTION,
)
