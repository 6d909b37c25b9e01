"""The dashboard of a version: a folder of pages in each language, that opens from disk and from any web server, without a network.

Belongs here: reading each page's rows, writing pages, data and scripts. Does not belong here: any page, any figure that no view holds.

Pages lie in `dashboard/` (English) and `dashboard/fr/`; `data/*.js` are the rows, the same for all languages, as scripts, since a page
opened from disk may not fetch; `dashboard.html` beside the folder leads to it.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.dashboard import formulas, pages
from pipelines.dashboard.page import Page
from pipelines.dashboard.vega import vega_script
from pipelines.platform.files import share
from pipelines.platform.locale import LANGUAGES, Locale, load_locale

FILE, FOLDER = "dashboard.html", "dashboard"
_HERE = Path(__file__).resolve().parent
_SIGNIFICANT_DIGITS = 9
# Words that the script needs are those that a choice or a figure can change.
_SAID_BY_THE_SCRIPT = re.compile(
    r"^(month|option|comparator|basis|status|workload|place|severity|cost_part|direction|answer_word|answer|requirement|region|trust|figure|say|column)\."
)


def find_pages() -> dict[str, Page]:
    """All pages by name, in the order of the menu: each module of `pages` has one."""
    found = {m.name: importlib.import_module(f"{pages.__name__}.{m.name}").PAGE for m in pkgutil.iter_modules(pages.__path__)}
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def write(version: Path, macros: Iterable[str], kept_in: Path) -> Path:
    """Write the dashboard of a version from its own DuckDB file; return the page that one opens.

    `macros`: the statements that make the scalar macros of the version. `kept_in`: a folder for what is the same in every refresh.
    """
    with ThreadPoolExecutor(1) as beside:
        # Bundling takes longer than all else together, and leaves the interpreter to it.
        script = beside.submit(vega_script, kept_in)
        entry = _write_pages(version)
        _write_assets(version / FOLDER / "assets", macros)
        (version / FOLDER / "assets" / "vega.js").write_text(script.result(), encoding="utf-8")
    return entry


def _write_pages(version: Path) -> Path:
    folder = version / FOLDER
    (folder / "data").mkdir(parents=True)
    found = find_pages()
    connection = duckdb.connect(str(version / "breakeven.duckdb"), read_only=True)
    try:
        facts = _facts(connection)

        @cache
        def read(sql: str) -> pl.DataFrame:
            return pl.DataFrame(connection.sql(sql).to_arrow_table())

        for name, page in found.items():
            _write_rows(read, folder / "data", name, page)
    finally:
        connection.close()
    environment = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    for language in LANGUAGES:
        locale = load_locale(language, _HERE / "locales")
        there = folder if language == LANGUAGES[0] else folder / language
        there.mkdir(exist_ok=True)
        for name, page in found.items():
            text = environment.get_template("page.html.j2").render(
                name=name,
                page=page,
                pages=list(found),
                locale=locale,
                languages=LANGUAGES,
                root="" if there == folder else "../",
                facts=facts,
                models=sorted(page.by_model),
                setup=_for_script(_setup(name, page, locale, facts)),
            )
            (there / f"{name}.html").write_text(text, encoding="utf-8")
    entry = version / FILE
    entry.write_text(environment.get_template("entry.html.j2").render(target=f"{FOLDER}/index.html"), encoding="utf-8")
    return entry


def write_blocked(version: Path, previous: Path, macros: Iterable[str], kept_in: Path) -> None:
    """Write the pages of a version whose refresh was blocked: they say so. Where its views are of older software, those of before stay."""
    made = version / FOLDER
    shutil.rmtree(made, ignore_errors=True)
    (version / FILE).unlink(missing_ok=True)
    try:
        write(version, macros, kept_in)
    except duckdb.Error:
        shutil.rmtree(made, ignore_errors=True)
        for file in [*(previous / FOLDER).rglob("*"), previous / FILE]:
            if file.is_file():
                share(file, version / file.relative_to(previous))


def _facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The day of the figures, and how the newest refresh went: not published where its figures are those of an earlier one."""
    sql = """
        SELECT (SELECT max(as_of_on) FROM bi.data_age), arg_max(outcome, started_at), arg_max(detail, started_at),
               arg_max(as_of_on, started_at)
        FROM ops.refreshes
    """
    [(as_of_on, outcome, detail, tried_on)] = connection.execute(sql).fetchall()
    return {"as_of_on": as_of_on, "is_blocked": outcome in ("blocked", "failed"), "detail": detail or "", "tried_on": tried_on}


def _setup(name: str, page: Page, locale: Locale, facts: dict[str, Any]) -> dict[str, Any]:
    for column in {shown.name for figure in page.figures for shown in figure.columns}:
        locale.text(f"column.{column}", currency="")  # the script asks for it in the browser, where nobody would see that it is missing
    figures = [{**asdict(figure), "chart": figure.chart(locale) if figure.chart else None} for figure in page.figures]
    return {
        "page": name,
        "language": locale.language,
        "as_of_on": facts["as_of_on"].isoformat(),
        "choices": page.choices,
        "defaults": page.defaults,
        "optional": sorted(page.optional),
        "by_model": sorted(page.by_model),
        "figures": figures,
        "records": _records(locale),
        "words": {key: text for key, text in locale.messages.items() if _SAID_BY_THE_SCRIPT.match(key)},
    }


def _records(locale: Locale) -> list[tuple[str, str]]:
    """Sentences of the record of a refresh, which is in English, each with the one of the page's language; none where that is English."""
    said = load_locale(LANGUAGES[0], _HERE / "locales").messages
    return [(said[key], own) for key, own in locale.messages.items() if key.startswith("record.") and own != said[key]]


def _write_rows(read: Callable[[str], pl.DataFrame], folder: Path, name: str, page: Page) -> None:
    whole = {}
    for query, sql in page.queries.items():
        rows = read(sql)
        if query in page.by_model:
            for (model,), of_model in rows.partition_by("model", as_dict=True).items():
                _write_script(folder / f"{name}.{slug(str(model))}.js", {f"{query}:{model}": encoded(of_model)})
        else:
            whole[query] = encoded(rows)
    _write_script(folder / f"{name}.js", whole)


def slug(model: str) -> str:
    """A model's name as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", model)


def encoded(rows: pl.DataFrame) -> dict[str, Any]:
    """Rows by column; texts and days once each (`d`) with their number in every row (`i`), figures to nine digits."""
    columns: dict[str, Any] = {}
    for column in rows.iter_columns():
        if column.dtype.is_float():
            columns[column.name] = column.round_sig_figs(_SIGNIFICANT_DIGITS).to_list()
        elif column.dtype in (pl.String, pl.Date):
            text = column.cast(pl.String)
            distinct = text.unique(maintain_order=True).to_list()
            places = {value: number for number, value in enumerate(distinct)}
            columns[column.name] = {"d": distinct, "i": [places[value] for value in text.to_list()]}
        else:
            columns[column.name] = column.to_list()
    return {"count": rows.height, "columns": columns}


def _write_assets(folder: Path, macros: Iterable[str]) -> None:
    folder.mkdir()
    for asset in sorted((_HERE / "assets").iterdir()):
        (folder / asset.name).write_text(asset.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "formulas.js").write_text(f"window.formulas = {formulas.javascript(macros)};\n", encoding="utf-8")


def _write_script(path: Path, rows: dict[str, Any]) -> None:
    path.write_text(f"breakeven.put({json.dumps(rows, separators=(',', ':'))});\n", encoding="utf-8")


def _for_script(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
