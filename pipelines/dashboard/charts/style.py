"""What all charts share: colours, shapes, and the data that a page gives them.

Belongs here: the look. Does not belong here: any one chart.
"""

from __future__ import annotations

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
    "commitment_12_months": "#009e73",
    "commitment_36_months": "#56b4e9",
    "commitment_up_to_6_months": "#66c2a5",
    "commitment_7_to_18_months": "#009e73",
    "commitment_over_18_months": "#56b4e9",
    "capacity_block": "#e69f00",
    "dedicated_month": "#999999",
    "api": "#cc79a7",
}
STATUS_COLOURS = {"ok": "#0072b2", "partial": "#e69f00", "stale": "#e69f00", "failed": "#d55e00", "offline": "#d55e00"}
MONEY_FORMAT = ",.3~r"


def named(kind: str, field: str, locale: Locale) -> str:
    """A Vega expression for the word of a code, such as the name of an option."""
    words = {key.removeprefix(f"{kind}."): text for key, text in locale.messages.items() if key.startswith(f"{kind}.")}
    listed = ", ".join(f"{code!r}: {text!r}" for code, text in words.items() if "{" not in text)
    return f"({{{listed}}})[datum[{field!r}]] || datum[{field!r}]"


def option_colour(locale: Locale, field: str = "option") -> alt.Color:
    """Colour by option, with the options of the rows in the legend by name."""
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top", labelExpr=named("option", "value", locale), columns=4),
    )


def finished(chart: Any, height: int | alt.Step) -> dict[str, Any]:
    """The specification, as wide as its place; rows come in the order in which they are to be shown."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict(validate=False)
    return spec


def money_title(locale: Locale, axis: str) -> str:
    """The title of an axis of money, in which `{currency}` waits for the reader's."""
    return locale.text(f"axis.{axis}", currency="{currency}")
