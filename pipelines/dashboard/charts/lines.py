"""Charts of figures over time. A line never joins unlike machines, and is dotted where it stands on the last known price.

Does not belong here: figures of one day (`bars`).
"""

from __future__ import annotations

from typing import Any

import altair as alt

from pipelines.dashboard.charts.style import MONEY_FORMAT, ROWS, finished, money_title, option_colour
from pipelines.platform.locale import Locale

_SOLID, _DOTTED = [1, 0], [2, 3]
_DASH = alt.StrokeDash(
    "basis:N",
    scale=alt.Scale(domain=["window", "current", "quote", "list", "last_known"], range=[_SOLID, _SOLID, _SOLID, _SOLID, _DOTTED]),
    legend=None,
)


def market_band(locale: Locale) -> dict[str, Any]:
    """Band of the sellers' quartiles with the median and the least. Rows: on_date, least, p25, median, p75, seller_count."""
    base = alt.Chart(ROWS).encode(x=alt.X("on_date:T", title=None))
    axis = money_title(locale, "per_gpu_hour")
    tooltip = [
        alt.Tooltip("on_date:T", title=locale.text("column.on_date")),
        alt.Tooltip("median:Q", format=MONEY_FORMAT, title=locale.text("column.median_usd_per_gpu_hour")),
        alt.Tooltip("seller_count:Q", title=locale.text("column.seller_count")),
    ]
    band = base.mark_area(opacity=0.25, color="#0072b2", interpolate="step-after").encode(y=alt.Y("p25:Q", title=axis), y2="p75:Q")
    middle = base.mark_line(color="#0072b2", interpolate="step-after").encode(
        y="median:Q", detail="run:N", strokeDash=_DASH, tooltip=tooltip
    )
    least = base.mark_line(color="#111111", strokeDash=[4, 3], interpolate="step-after").encode(y="least:Q")
    return finished(alt.layer(band, middle, least), 260)


def cost_over_time(locale: Locale) -> dict[str, Any]:
    """Cost per million output tokens by option on one accelerator. Rows: on_date, option, base, basis, run."""
    return finished(
        alt.Chart(ROWS)
        .mark_line(point={"size": 18})
        .encode(
            x=alt.X("on_date:T", title=None),
            y=alt.Y("base:Q", title=money_title(locale, "cost_per_million"), scale=alt.Scale(zero=True)),
            color=option_colour(),
            detail="run:N",
            strokeDash=_DASH,
            tooltip=[
                alt.Tooltip("on_date:T", title=locale.text("column.on_date")),
                alt.Tooltip("provider:N", title=locale.text("column.provider")),
                alt.Tooltip("base:Q", format=MONEY_FORMAT, title=money_title(locale, "cost_per_million")),
                alt.Tooltip("price_age_days:Q", title=locale.text("column.price_age_days")),
            ],
        ),
        280,
    )


def moves(locale: Locale) -> dict[str, Any]:
    """Price moves over the year, cuts below zero. Rows: moved_on, change_ratio, option, provider, gpu."""
    return finished(
        alt.Chart(ROWS)
        .mark_point(filled=True, size=60, opacity=0.8)
        .encode(
            x=alt.X("moved_on:T", title=None),
            y=alt.Y("change_ratio:Q", title=locale.text("axis.change"), axis=alt.Axis(format="+.0%")),
            color=option_colour("purchase_option"),
            tooltip=[
                alt.Tooltip("moved_on:T", title=locale.text("column.moved_on")),
                alt.Tooltip("provider:N", title=locale.text("column.provider")),
                alt.Tooltip("gpu:N", title=locale.text("column.gpu")),
                alt.Tooltip("change_ratio:Q", format="+.1%", title=locale.text("column.change_ratio")),
            ],
        ),
        240,
    )
