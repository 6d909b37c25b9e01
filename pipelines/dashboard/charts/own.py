"""Charts of owning against renting.

Does not belong here: prices over time (`lines`).
"""

from __future__ import annotations

from typing import Any

import altair as alt

from pipelines.dashboard.charts.style import ROWS, coloured, finished, money_title
from pipelines.platform.locale import Locale

_PARTS = {"capital": "#0072b2", "energy": "#e69f00", "space": "#999999", "maintenance": "#009e73", "staff": "#cc79a7"}


def own_map(locale: Locale) -> dict[str, Any]:
    """From which use owning is cheaper, by the rented price. Rows: price, use, ceiling; the reader's own case has is_case.

    The area above the line is where owning is cheaper.
    """
    curve = alt.Chart(ROWS).transform_filter("!datum.is_case")
    x = alt.X("price:Q", title=money_title(locale, "per_gpu_hour"))
    y = alt.Y("use:Q", title=locale.text("axis.use"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    own = curve.mark_area(color="#111111", opacity=0.12).encode(x=x, y=y, y2="ceiling:Q")
    line = curve.mark_line(color="#111111").encode(x=x, y=y)
    case = alt.Chart(ROWS).transform_filter("datum.is_case").mark_point(filled=True, size=160, color="#d55e00").encode(x=x, y=y)
    return finished(alt.layer(own, line, case), 280)


def cost_parts(locale: Locale) -> dict[str, Any]:
    """What an hour of each owned server is made of. Rows: label, cost_part, price, price_age_days.

    Pale where the list price is older than a year.
    """
    return finished(
        alt.Chart(ROWS)
        .mark_bar(height={"band": 0.6})
        .encode(
            y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
            x=alt.X("price:Q", title=money_title(locale, "per_server_hour"), stack=True),
            color=coloured("cost_part", _PARTS),
            opacity=alt.condition("datum.price_age_days > 365", alt.value(0.4), alt.value(1.0)),
        ),
        alt.Step(26),
    )


def break_even(locale: Locale) -> dict[str, Any]:
    """Break-even use of each server against each comparator, with its band and the workload's own use.

    Rows: label, low, base, high, use; unknown is what is never reached.
    """
    base = alt.Chart(ROWS).encode(y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)))
    x = alt.X("low:Q", title=locale.text("axis.use"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    # Where the band has a low end and no high one, at its worst owning never pays: it is open to the end.
    band = base.transform_filter("isValid(datum.low)").transform_calculate(high="isValid(datum.high) ? datum.high : 1")
    band = band.mark_rule(strokeWidth=6, opacity=0.3, color="#0072b2").encode(x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=90, color="#0072b2").encode(x="base:Q")
    use = alt.Chart(ROWS).mark_rule(color="#d55e00", strokeDash=[4, 4]).encode(x="use:Q")
    return finished(alt.layer(band, point, use), alt.Step(24))
