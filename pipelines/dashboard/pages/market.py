"""The market: what a GPU-hour costs by device, place and option, over time and seller by seller."""

from pipelines.dashboard.charts.bars import sellers_today
from pipelines.dashboard.charts.lines import market_band
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import GROUPS, OPTION, RATE, RATES, TODAY

# One seller, one vote: its cheapest series of the device and option; weekly points, and the last day.
_BAND = f"""
    WITH vote AS (
        SELECT on_date, gpu, {OPTION} AS option, provider, min(mean_usd_per_gpu_hour) AS usd
        FROM bi.price_rolling
        WHERE window_days = 30 AND (dayofweek(on_date) = 1 OR on_date = {TODAY})
        GROUP BY ALL
    )
    SELECT v.on_date, gpu, option, count(*) AS seller_count, min(usd) AS least_usd_per_gpu_hour,
           quantile_cont(usd, 0.25) AS p25_usd_per_gpu_hour, median(usd) AS median_usd_per_gpu_hour,
           quantile_cont(usd, 0.75) AS p75_usd_per_gpu_hour, any_value(r.eur_per_usd) AS eur_per_usd
    FROM vote AS v ASOF LEFT JOIN {RATES} AS r ON r.rate_on <= v.on_date
    GROUP BY v.on_date, gpu, option ORDER BY gpu, option, v.on_date
"""

_SELLERS = f"""
    WITH latest AS (
        SELECT DISTINCT ON (series_id) *, {OPTION} AS option FROM bi.price
        WHERE usd_per_gpu_hour IS NOT NULL AND gpu IS NOT NULL ORDER BY series_id, valid_from DESC
    )
    SELECT gpu, option, provider, country, region, instance_type, gpu_count, usd_per_gpu_hour,
           observed_at::DATE AS price_as_of_on, price_age_days, source, r.eur_per_usd
    FROM latest CROSS JOIN {RATE} AS r
    QUALIFY row_number() OVER (PARTITION BY gpu, option, provider, country ORDER BY usd_per_gpu_hour, series_id) = 1
    ORDER BY gpu, option, usd_per_gpu_hour, provider
"""

PAGE = Page(
    order=2,
    choices=("gpu", "option", "group", "currency"),
    queries={"band": _BAND, "sellers": _SELLERS, "groups": GROUPS},
    figures=(
        Figure(
            "market_today",
            "sellers",
            (
                Shown("provider"),
                Shown("option", "option"),
                Shown("country"),
                Shown("region"),
                Shown("instance_type"),
                Shown("gpu_count", "count"),
                Shown("usd_per_gpu_hour", "usd"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
                Shown("source"),
            ),
            sellers_today,
            {"gpu": "gpu", "option": "option"},
            "country",
            draws={
                "price": "usd_per_gpu_hour",
                "provider": "provider",
                "option": "option",
                "region": "region",
                "price_age_days": "price_age_days",
            },
        ),
        Figure(
            "market_history",
            "band",
            (
                Shown("on_date", "day"),
                Shown("seller_count", "count"),
                Shown("least_usd_per_gpu_hour", "usd"),
                Shown("p25_usd_per_gpu_hour", "usd"),
                Shown("median_usd_per_gpu_hour", "usd"),
                Shown("p75_usd_per_gpu_hour", "usd"),
            ),
            market_band,
            {"gpu": "gpu", "option": "option"},
            draws={
                "on_date": "on_date",
                "least": "least_usd_per_gpu_hour",
                "p25": "p25_usd_per_gpu_hour",
                "median": "median_usd_per_gpu_hour",
                "p75": "p75_usd_per_gpu_hour",
                "seller_count": "seller_count",
            },
        ),
    ),
    defaults={"gpu": "h100-sxm-80", "option": "on_demand", "group": "world"},
)
