"""Own or rent: from which use owning is cheaper, with sliders, and what an owned hour is made of."""

from pipelines.dashboard.charts.own import break_even, cost_parts, own_map
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import QUESTION, RATE, TODAY

_PARTS = f"""
    SELECT hardware, gpu, gpu_count, electricity_area, cost_part, base_fixed_usd_per_hour, base_variable_usd_per_hour, fixed_cost_share,
           price_as_of_on, price_age_days, r.eur_per_usd
    FROM bi.owned_cost_breakdown CROSS JOIN {RATE} AS r
    ORDER BY price_age_days > 365, price_as_of_on DESC, hardware, electricity_area, cost_part
"""
# What the sliders start from: list price of the server without its network, electricity, and the cheapest machine of its shape.
_SERVERS = f"""
    WITH least AS (
        SELECT server AS hardware, min(rented_usd_per_hour) AS usd
        FROM bi.break_even WHERE window_days = 30 AND on_date = {TODAY} GROUP BY server
    )
    SELECT s.hardware, s.gpu, s.gpu_count, s.electricity_area, s.base_capex_usd / (1 + n.base) AS server_usd,
           e.base AS electricity_usd_per_kwh,
           coalesce(p.base, 1) AS packing_share, l.usd / s.gpu_count * coalesce(p.base, 1) AS rented_usd_per_gpu_hour, r.eur_per_usd
    FROM marts.owned_server_cost AS s
    INNER JOIN marts.cost_assumption AS n ON n.assumption = 'network_share' AND n.scope IS NULL
    LEFT JOIN marts.cost_assumption AS p ON p.assumption = 'packing_share' AND p.scope IS NULL
    LEFT JOIN marts.cost_assumption AS e ON e.assumption = 'electricity_usd_per_kwh' AND e.scope = s.electricity_area
    LEFT JOIN least AS l USING (hardware)
    CROSS JOIN {RATE} AS r
    WHERE s.on_date = {TODAY} AND s.base_fixed_usd_per_hour IS NOT NULL AND s.gpu_count = 8
    ORDER BY s.hardware, s.electricity_area
"""
# What the parts are weighed with where the server stands elsewhere. States of the United States are left to SQL: they differ little.
_SITES = """
    SELECT electricity_area, electricity_usd_per_kwh, colocation_usd_per_kw_month, staff_usd_per_fte_year, price_as_of_on, source_detail
    FROM bi.site_cost WHERE electricity_area NOT LIKE 'US-%' ORDER BY electricity_area
"""
_BREAK_EVEN = f"""
    SELECT model, precision, workload, server AS hardware, comparator, comparator_provider, comparator_region, comparator_count,
           seller_count,
           low_break_even_utilisation_share, base_break_even_utilisation_share, high_break_even_utilisation_share, utilisation_share,
           rented_usd_per_hour, base_payback_months, price_as_of_on, price_age_days, reason_no_figure, r.eur_per_usd
    FROM bi.break_even CROSS JOIN {RATE} AS r
    WHERE window_days = 30 AND on_date = {TODAY} AND comparator_count > 0 ORDER BY model, precision, workload, server, comparator
"""

PAGE = Page(
    order=4,
    choices=("server", "site", "model", "precision", "workload", "currency"),
    queries={"servers": _SERVERS, "parts": _PARTS, "sites": _SITES, "break_even": _BREAK_EVEN},
    figures=(
        Figure(
            "own_map",
            "derived_map",
            (Shown("usd_per_gpu_hour", "usd"), Shown("break_even_utilisation_share", "share")),
            own_map,
            draws={"price": "usd_per_gpu_hour", "use": "break_even_utilisation_share", "ceiling": "ceiling", "is_case": "is_case"},
        ),
        Figure(
            "cost_parts",
            "derived_parts",
            (
                Shown("hardware", "gpu"),
                Shown("cost_part", "cost_part"),
                Shown("base_fixed_usd_per_hour", "usd"),
                Shown("base_variable_usd_per_hour", "usd"),
                Shown("fixed_cost_share", "share"),
                Shown("electricity_area", "place"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
            ),
            cost_parts,
            draws={"cost_part": "cost_part", "price": "base_fixed_usd_per_hour", "price_age_days": "price_age_days"},
            label=("hardware", "electricity_area"),
        ),
        Figure(
            "break_even",
            "break_even",
            (
                Shown("comparator", "comparator"),
                Shown("base_break_even_utilisation_share", "share"),
                Shown("low_break_even_utilisation_share", "share"),
                Shown("high_break_even_utilisation_share", "share"),
                Shown("rented_usd_per_hour", "usd"),
                Shown("comparator_provider"),
                Shown("comparator_region", "region"),
                Shown("price_as_of_on", "day"),
                Shown("price_age_days", "days"),
                Shown("base_payback_months", "number"),
                Shown("seller_count", "count"),
                Shown("comparator_count", "count"),
                Shown("hardware", "gpu"),
            ),
            break_even,
            {"model": "model", "precision": "precision", "workload": "workload", "server": "hardware"},
            draws={
                "low": "low_break_even_utilisation_share",
                "base": "base_break_even_utilisation_share",
                "high": "high_break_even_utilisation_share",
                "use": "utilisation_share",
            },
            label=("comparator", "comparator_provider"),
        ),
    ),
    defaults={**QUESTION, "server": "8x-h100-sxm-80", "site": "US"},
)
