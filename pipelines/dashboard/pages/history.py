"""History: which rented prices moved in the last year, by how much, at whom."""

from pipelines.dashboard.charts.lines import moves
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import GROUPS, OPTION, RATES

_MOVES = f"""
    SELECT moved_on, moved_days_ago, direction, provider, region, country, instance_type, gpu, gpu_count, {OPTION} AS option,
           usd_per_gpu_hour_before, usd_per_gpu_hour, change_ratio, before_as_of_on, source, r.eur_per_usd
    FROM bi.what_moved AS m ASOF LEFT JOIN {RATES} AS r ON r.rate_on <= m.moved_on
    ORDER BY moved_on DESC, abs(change_ratio) DESC, provider, region LIMIT 3000
"""

PAGE = Page(
    order=6,
    choices=("gpu", "option", "group", "direction", "currency"),
    queries={"moves": _MOVES, "groups": GROUPS},
    figures=(
        Figure(
            "moves",
            "moves",
            (
                Shown("moved_on", "day"),
                Shown("change_ratio", "ratio"),
                Shown("gpu", "gpu"),
                Shown("usd_per_gpu_hour_before", "usd"),
                Shown("usd_per_gpu_hour", "usd"),
                Shown("provider"),
                Shown("region", "region"),
                Shown("option", "option"),
                Shown("before_as_of_on", "day"),
                Shown("source"),
            ),
            moves,
            {"gpu": "gpu", "option": "option", "direction": "direction"},
            "country",
            draws={
                "moved_on": "moved_on",
                "change_ratio": "change_ratio",
                "purchase_option": "option",
                "provider": "provider",
                "gpu": "gpu",
            },
        ),
    ),
    defaults={"group": "world"},
    optional=frozenset({"gpu", "option", "direction"}),
)
