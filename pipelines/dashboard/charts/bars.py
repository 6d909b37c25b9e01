"""Charts of the figures of one day, a line of the chart for each way, seller or source.

Does not belong here: figures over time (`lines`), own against rent (`own`).
"""

from __future__ import annotations

from typing import Any

import altair as alt

from pipelines.dashboard.charts.style import MONEY_FORMAT, ROWS, STATUS_COLOURS, coloured, finished, money_title, option_colour
from pipelines.platform.locale import Locale


def cost_of_ways(locale: Locale) -> dict[str, Any]:
    """Cost per million output tokens of each way, with its band. Rows: label, option, base, low, high."""
    base = alt.Chart(ROWS).encode(y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)))
    title = money_title(locale, "cost_per_million")
    bar = base.mark_bar(height={"band": 0.6}).encode(x=alt.X("base:Q", title=title), color=option_colour())
    band = base.mark_rule(strokeWidth=2, color="#555").encode(x="low:Q", x2="high:Q")
    return finished(alt.layer(bar, band).resolve_scale(color="independent"), alt.Step(26))


def sellers_today(locale: Locale) -> dict[str, Any]:
    """Each seller's cheapest price as a point by option, pale where it is older than 45 days.

    Rows: provider, option, price, price_age_days.
    """
    return finished(
        alt.Chart(ROWS)
        .mark_point(filled=True, size=80)
        .encode(
            x=alt.X("price:Q", title=money_title(locale, "per_gpu_hour"), scale=alt.Scale(zero=True)),
            y=alt.Y("provider:N", title=None, sort=None),
            color=option_colour(),
            opacity=alt.condition("datum.price_age_days > 45", alt.value(0.45), alt.value(1.0)),
            tooltip=[
                alt.Tooltip("provider:N", title=locale.text("column.provider")),
                alt.Tooltip("price:Q", format=MONEY_FORMAT, title=money_title(locale, "per_gpu_hour")),
                alt.Tooltip("region:N", title=locale.text("column.region")),
                alt.Tooltip("price_age_days:Q", title=locale.text("column.price_age_days")),
            ],
        ),
        alt.Step(20),
    )


def groups(locale: Locale) -> dict[str, Any]:
    """What the cheapest way costs in each group of countries. Rows: label, option, base."""
    return finished(
        alt.Chart(ROWS)
        .mark_bar(height={"band": 0.6})
        .encode(
            y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
            x=alt.X("base:Q", title=money_title(locale, "cost_per_million")),
            color=option_colour(),
        ),
        alt.Step(24),
    )


def requirements(locale: Locale) -> dict[str, Any]:
    """The least price of the sellers that meet each requirement, and their median as a tick. Rows: label, base, median."""
    base = alt.Chart(ROWS).encode(y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)))
    bar = base.mark_bar(height={"band": 0.6}, color="#0072b2").encode(x=alt.X("base:Q", title=money_title(locale, "per_gpu_hour")))
    tick = base.mark_tick(thickness=3, size=16, color="#111111").encode(x="median:Q")
    return finished(alt.layer(bar, tick), alt.Step(26))


def source_age(locale: Locale) -> dict[str, Any]:
    """Age of the newest figure of each source. Rows: source, status, age_days."""
    return finished(
        alt.Chart(ROWS)
        .mark_bar(height={"band": 0.6})
        .encode(
            x=alt.X("age_days:Q", title=locale.text("axis.age_days")),
            y=alt.Y("source:N", title=None, sort="x", axis=alt.Axis(labelLimit=260)),
            color=coloured("status", STATUS_COLOURS),
        ),
        alt.Step(16),
    )
