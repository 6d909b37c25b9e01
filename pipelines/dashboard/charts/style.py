"""What all charts share: colours, shapes, and the data that a page gives them.

Belongs here: the look. Does not belong here: any one chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from pipelines.platform.locale import Locale

ROWS = alt.NamedData(name="rows")
# Told apart with the usual kinds of colour blindness; what is owned is black.
COLOURS = {
    "owned": "#111111",
    "on_demand": "#0072b2",
    "spot": "#d55e00",
    "commitment": "#009e73",
    "commitment_up_to_6_months": "#66c2a5",
    "commitment_7_to_18_months": "#009e73",
    "commitment_over_18_months": "#56b4e9",
    "capacity_block": "#e69f00",
    "dedicated_month": "#999999",
    "marketplace": "#a6761d",
    "reserved": "#7570b3",
    "serverless": "#666666",
    "api": "#cc79a7",
}
STATUS_COLOURS = {"ok": "#0072b2", "partial": "#e69f00", "stale": "#e69f00", "failed": "#d55e00", "offline": "#d55e00"}
MONEY_FORMAT = ",.3~r"


def coloured(field: str, colours: Mapping[str, str]) -> alt.Color:
    """Colour by a code. The page puts those of its rows into the legend, in words; what has no colour here gets the one of its class."""
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(orient="top"),
    )


def option_colour(field: str = "option") -> alt.Color:
    """Colour by option."""
    return coloured(field, COLOURS)


def finished(chart: Any, height: int | alt.Step) -> dict[str, Any]:
    """The specification, as wide as its place; rows come in the order in which they are to be shown."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict(validate=False)
    return spec


def money_title(locale: Locale, axis: str) -> str:
    """The title of an axis of money, in which `{currency}` waits for the reader's."""
    return locale.text(f"axis.{axis}", currency="{currency}")
