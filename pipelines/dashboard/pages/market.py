"""The market: what a GPU-hour costs by device, place and option, over time and seller by seller."""

from pipelines.dashboard.charts.bars import sellers_today
from pipelines.dashboard.charts.lines import market_band
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import CLASS, CLASSED_OPTION, GROUPS, GROUPS_SHOWN, QUARTILES_OF_ENOUGH, RATE, RATES, TODAY

# One seller, one vote: a point where a figure of the market changed, and where it held last. Dotted where half of the sellers or more are
# last known. Prices in euros move the figures each day with the rate: of what is older than a quarter, the last of each week is shown.
_BAND = f"""
    WITH held AS (
        SELECT * REPLACE ({QUARTILES_OF_ENOUGH}), {CLASSED_OPTION} AS option
        FROM bi.market_history WHERE trust_group = 'professional' AND country_group IN {GROUPS_SHOWN}
        QUALIFY on_date > {TODAY} - 92 OR held_until_on - on_date >= 7
            OR row_number() OVER (PARTITION BY gpu, option, country_group, date_trunc('week', on_date) ORDER BY on_date DESC) = 1
    ),

    point AS (
        SELECT on_date, * EXCLUDE (on_date) FROM held
        UNION ALL
        SELECT held_until_on AS on_date, * EXCLUDE (on_date) FROM held WHERE held_until_on > on_date
    )

    SELECT p.on_date, gpu, option, country_group, seller_count, cheapest_usd_per_gpu_hour AS least_usd_per_gpu_hour, p25_usd_per_gpu_hour,
           median_usd_per_gpu_hour, p75_usd_per_gpu_hour, last_known_share,
           if(last_known_share >= 0.5, 'last_known', 'window') AS price_basis, r.eur_per_usd
    FROM point AS p ASOF LEFT JOIN {RATES} AS r ON r.rate_on <= p.on_date
    WHERE p.on_date > {TODAY} - 1100
    ORDER BY gpu, option, country_group, p.on_date
"""

_SELLERS = f"""
    WITH offer AS (
        SELECT *, {CLASS} AS commitment_class FROM bi.price_today WHERE usd_per_gpu_hour IS NOT NULL AND gpu IS NOT NULL AND is_on_sale
        -- As the market's index: a seller's own pages speak before pages about it.
        QUALIFY is_third_party = bool_and(is_third_party) OVER (PARTITION BY gpu, purchase_option, commitment_class, seller)
    )
    SELECT gpu, {CLASSED_OPTION} AS option, provider, seller, headquarters_country, country, region, instance_type, gpu_count, trust_tier,
           usd_per_gpu_hour, price_basis, price_as_of_on, price_age_days, source,
           coalesce(eur_per_gpu_hour / usd_per_gpu_hour, r.eur_per_usd) AS eur_per_usd
    FROM offer CROSS JOIN {RATE} AS r
    QUALIFY row_number() OVER (PARTITION BY gpu, option, seller, country ORDER BY usd_per_gpu_hour, series_id) = 1
    ORDER BY gpu, option, usd_per_gpu_hour, seller, country
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
                Shown("seller"),
                Shown("usd_per_gpu_hour", "usd"),
                Shown("price_basis", "basis"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
                Shown("country", "place"),
                Shown("region", "region"),
                Shown("headquarters_country", "place"),
                Shown("trust_tier", "trust"),
                Shown("instance_type"),
                Shown("gpu_count", "count"),
                Shown("option", "option"),
                Shown("source"),
            ),
            sellers_today,
            {"gpu": "gpu", "option": "option"},
            "country",
            draws={
                "price": "usd_per_gpu_hour",
                "provider": "seller",
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
                Shown("last_known_share", "share"),
            ),
            market_band,
            {"gpu": "gpu", "option": "option", "group": "country_group"},
            draws={
                "on_date": "on_date",
                "basis": "price_basis",
                "run": "run",
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
