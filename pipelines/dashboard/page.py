"""The page: one HTML file with its charts, tables and JavaScript inside.

Belongs here: putting charts and tables together and writing the file. Does not belong here: queries (`data`), marks (`charts`).
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.dashboard import charts, data

FILE = "dashboard.html"


def write(version: Path) -> Path:
    """Write the dashboard of a version from its own DuckDB file; return the page's path."""
    connection = duckdb.connect(str(version / "breakeven.duckdb"), read_only=True)
    try:
        shown = data.read(connection)
    finally:
        connection.close()
    path = version / FILE
    path.write_text(render(shown), encoding="utf-8")
    return path


def render(shown: data.Shown) -> str:
    """The page as text. A section whose frame is empty says so instead of showing an empty chart."""
    named = pl.col("option").replace(charts.OPTION_NAMES)
    cost = shown.cost.with_columns(
        named,
        basis=pl.when(pl.col("basis") == "last_known").then(pl.lit("last known")).otherwise(pl.lit("of the window")),
    )
    # Each stretch of one basis is a line of its own, so that a dotted stretch is not joined to the next one.
    cost = cost.with_columns(run=pl.col("basis").rle_id().over("option").cast(pl.String) + pl.col("option"))
    sections = [
        (
            f"Rolling cost of a million output tokens: {data.MODEL} {data.PRECISION}",
            f"Workload {data.WORKLOAD}, mean of {data.WINDOW_DAYS} days, the cheapest of each way. Owned is an 8-GPU server in the "
            "United States at the workload's use. Dotted lines stand on the last price known; point at a line for its age.",
            cost,
            charts.cost_by_option,
        ),
        (
            f"Rent of one {data.GPU} in machines of eight",
            f"Time-weighted mean of {data.WINDOW_DAYS} days, the cheapest series of each seller and purchase option. A line ends where no "
            "known price covers the days.",
            shown.price.with_columns(named),
            charts.price_by_option,
        ),
        (
            "Break-even use of an owned server",
            "From this share of the hours on owning is cheaper than renting a machine of the same shape on demand, against the "
            "cheapest, the median and the dearest offer. The dashed line is the workload's own use.",
            shown.break_even.filter(pl.col("base").is_not_null()),
            charts.break_even,
        ),
        (
            "Age of the sources",
            "Days from the newest figure of each source to the day of this page.",
            shown.ages.filter(pl.col("age_days").is_not_null()),
            charts.source_age,
        ),
    ]
    specs, parts = [], []
    for number, (title, text, frame, chart) in enumerate(sections):
        parts.append(f"<section><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>")
        if frame.is_empty():
            parts.append("<p class='none'>No figure is known for this yet.</p>")
        else:
            parts.append(f"<div class='chart' id='chart{number}'></div>")
            specs.append((f"chart{number}", chart(frame).to_dict()))
        if number == 0:
            parts.append(_table(shown.cheapest.with_columns(named)))
        if chart is charts.break_even:
            parts.append(_table(shown.break_even.drop("use", "low", "high")))
        parts.append("</section>")
    return _PAGE.format(as_of=html.escape(shown.as_of_on), sections="\n".join(parts), script=_javascript(), specs=_json_in_html(specs))


def _javascript() -> str:
    import vl_convert  # noqa: PLC0415  (a large binary module, needed here only)

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # The bundle is an ES module; inside a page it must not end its own element.
    return bundle.replace("</script", "<\\/script")


def _json_in_html(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in frame.columns)
    rows = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in frame.iter_rows())
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return "<td>–</td>"
    if isinstance(value, float):
        return f"<td class='number'>{value:,.3g}</td>" if abs(value) < 1000 else f"<td class='number'>{value:,.0f}</td>"
    kind = " class='number'" if isinstance(value, int) else ""
    return f"<td{kind}>{html.escape(str(value))}</td>"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Breakeven: own or rent, {as_of}</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; margin-bottom: 0; }}
h2 {{ font-size: 1.15rem; margin-top: 2.5rem; }}
p {{ max-width: 70ch; color: #444; }}
.none {{ font-style: italic; }}
table {{ border-collapse: collapse; font-size: 13px; margin: 1rem 0; }}
th, td {{ text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #ddd; }}
th {{ font-weight: 600; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
<h1>Breakeven: own or rent</h1>
<p>Figures for {as_of} (UTC). Every price is a list price without tax; every figure stands in the published warehouse with its source
and date.</p>
{sections}
<script type="module">
{script}
const specs = {specs};
for (const [id, spec] of specs) {{
  await vegaEmbed("#" + id, spec, {{ actions: false, renderer: "svg" }});
}}
document.body.dataset.ready = "true";
</script>
</body>
</html>
"""
