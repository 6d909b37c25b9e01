"""The charts, each a function from a frame of a `bi` view to an Altair chart.

Belongs here: marks, axes, colours. Does not belong here: queries (`data`), the page around them (`page`).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

OPTION_NAMES = {
    "owned": "owned server",
    "on_demand": "on demand",
    "spot": "spot",
    "commitment_12_months": "1-year commitment",
    "commitment_36_months": "3-year commitment",
    "api": "managed API",
}
# Told apart with the usual kinds of colour blindness; the owned line is black.
_COLOURS = {
    "owned server": "#111111",
    "on demand": "#0072b2",
    "spot": "#d55e00",
    "1-year commitment": "#009e73",
    "3-year commitment": "#56b4e9",
    "managed API": "#cc79a7",
}
_WIDTH, _HEIGHT = 900, 300


def _option(title: str = "way to get it") -> alt.Color:
    return alt.Color(
        "option:N",
        title=title,
        scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
        legend=alt.Legend(orient="top"),
    )


def price_by_option(frame: pl.DataFrame) -> Any:
    """Rolling price per GPU-hour over time, a line for each option and provider, so that one that goes out of sight ends its line.

    Columns on_date, option, provider, usd_per_gpu_hour, region.
    """
    return (
        alt.Chart(frame)
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("on_date:T", title=None),
            y=alt.Y("usd_per_gpu_hour:Q", title="USD per GPU-hour"),
            color=_option(),
            detail="provider:N",
            tooltip=["on_date:T", "option:N", "provider:N", "region:N", alt.Tooltip("usd_per_gpu_hour:Q", format=".2f")],
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )


def cost_by_option(frame: pl.DataFrame) -> Any:
    """Rolling cost of a million output tokens by option, the owned server as a line of its own. Dotted where prices are last known.

    Columns on_date, option, usd, basis, gpu, provider, age_days.
    """
    return (
        alt.Chart(frame)
        .mark_line()
        .encode(
            x=alt.X("on_date:T", title=None),
            y=alt.Y("usd:Q", title="USD per million output tokens", scale=alt.Scale(type="log")),
            color=_option(),
            strokeDash=alt.StrokeDash(
                "basis:N",
                title="price",
                scale=alt.Scale(domain=["of the window", "last known"], range=[[1, 0], [2, 3]]),
                legend=alt.Legend(orient="top"),
            ),
            detail="run:N",
            tooltip=[
                "on_date:T",
                "option:N",
                "gpu:N",
                "provider:N",
                alt.Tooltip("usd:Q", format=".3f", title="USD per million output tokens"),
                alt.Tooltip("age_days:Q", title="price is this many days old"),
            ],
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )


def break_even(frame: pl.DataFrame) -> Any:
    """Break-even use of each server against cheapest, median and dearest comparator, with its band, and the workload's own use.

    Columns server, comparator, low, base, high, use, who, age_days.
    """
    base = alt.Chart(frame).encode(
        y=alt.Y("comparator:N", title=None, sort=["cheapest", "median", "dearest"]),
        tooltip=["server:N", "comparator:N", "who:N", alt.Tooltip("base:Q", format=".0%"), alt.Tooltip("age_days:Q")],
    )
    band = base.mark_rule(strokeWidth=6, opacity=0.3, color="#0072b2").encode(
        x=alt.X("low:Q", title="use from which owning is cheaper", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        x2="high:Q",
    )
    point = base.mark_point(filled=True, size=90, color="#0072b2").encode(x="base:Q")
    own = alt.Chart(frame).mark_rule(color="#d55e00", strokeDash=[4, 4]).encode(x="use:Q")
    return (band + point + own).properties(width=_WIDTH - 140, height=90).facet(row=alt.Row("server:N", title=None))


def source_age(frame: pl.DataFrame) -> Any:
    """Age of the newest figure of each source. Columns source, age_days, status."""
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("age_days:Q", title="days since the newest figure"),
            y=alt.Y("source:N", title=None, sort="x"),
            color=alt.Color("status:N", title="status", legend=alt.Legend(orient="top")),
            tooltip=["source:N", "status:N", "age_days:Q", "newest_figure_on:T"],
        )
        .properties(width=_WIDTH - 140, height=alt.Step(18))
    )
