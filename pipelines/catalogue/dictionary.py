"""The data dictionary: every table and view with its columns, generated from the contracts (`make docs`).

Belongs here: turning contracts into Markdown. Does not belong here: saying anything that a contract does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.catalogue.columns import Column
from pipelines.catalogue.contracts import Catalogue, Contract, catalogue
from pipelines.catalogue.models import Model, models
from pipelines.catalogue.published_sql import Macro, View, bi_views, macros
from pipelines.platform.paths import PROJECT_FOLDER

PATH = PROJECT_FOLDER / "docs" / "data-dictionary.md"
_LAYERS = {
    "marts": "Published tables that answer questions",
    "ops": "How each refresh went",
    "staging": "Provider-neutral tables between raw and marts (not published)",
    "history": "State of the growing price history (`data/history/history.duckdb`, not published)",
    "raw": "What each source said, in its own columns (not published)",
}


def render(tables: Catalogue, computed: Mapping[str, Model], views: Mapping[str, View], formulas: Iterable[Macro]) -> str:
    """The whole dictionary as Markdown."""
    parts = [
        "# Data dictionary",
        "",
        "Generated from the contracts in `dbt_like_models` by `make docs`; do not edit. Times are UTC, shares run from 0 to 1, money is",
        "without tax.",
        "",
        "## bi: views for dashboards, stable across versions",
        "",
        "Each is also in `bi/<view>.parquet`, whose fields say unit and meaning. `sql/bi/interface.json` is what was released.",
    ]
    for _, view in sorted(views.items()):
        parts += _view(view)
    parts += ["", "## Macros", "", *(f"- `marts.{macro.name}`: {macro.comment}" for macro in formulas)]
    for layer, title in _LAYERS.items():
        parts += ["", f"## {layer}: {title}"]
        for contract in tables.layer(layer):
            parts += _table(contract, computed.get(contract.name))
    return "\n".join(parts) + "\n"


def _view(view: View) -> list[str]:
    return [
        *("", f"### bi.{view.name}", "", view.comment, "", f"Reads {', '.join(view.reads)}.", ""),
        *("| column | type | unit | meaning |", "|---|---|---|---|"),
        *(f"| {c.name} | {c.type} | {c.unit} | {_cell(c)} |" for c in view.columns),
    ]


def _cell(column: Column) -> str:
    return column.description.replace("|", "/")


def _table(contract: Contract, model: Model | None) -> list[str]:
    lines = ["", f"### {contract.table}", "", contract.description, "", f"One row per {', '.join(contract.grain)}."]
    if model is not None:
        lines.append(f"Computed from {', '.join(model.inputs) or 'nothing'}.")
    if contract.sources:
        lines.append(f"Source: {'; '.join(contract.sources)}. Licence: {contract.licence}.")
    lines += ["", "| column | type | unit | NULL | meaning |", "|---|---|---|---|---|"]
    lines += [f"| {c.name} | {c.type} | {c.unit} | {'yes' if c.name in contract.nullable else ''} | {_cell(c)} |" for c in contract.columns]
    return lines


def main() -> None:
    """Write the dictionary."""
    PATH.write_text(render(catalogue(), models(), bi_views(), macros()), encoding="utf-8")
    print(f"wrote {PATH}")


if __name__ == "__main__":
    main()
