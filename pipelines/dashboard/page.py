"""What a page is: its queries, its figures, and the choices that a reader has on it.

Belongs here: the form of a page, as each module of `pages` fills it. Does not belong here: any page, writing files (`build`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.platform.locale import Locale

# A chart is a Vega-Lite specification in words of a language. It draws the data named `rows`; `{currency}` in its texts stands for the
# reader's currency.
Chart = Callable[[Locale], dict[str, Any]]


@dataclass(frozen=True)
class Shown:
    """A column of a figure's table: the column of the rows, and how it is written.

    `kind`: text, day, days, count, share, ratio, number, `usd` (an amount in USD that the page turns into the reader's currency by the
    row's `eur_per_usd`), `record` (what the program wrote down, in English, said in the page's language), or the name of a group of words
    of the locale (`option`, `status`, ...).
    """

    name: str
    kind: str = "text"


@dataclass(frozen=True)
class Figure:
    """A chart with its table, its CSV and its PNG.

    `data` names a query of the page, or rows that the page's script derives; `where` says which column each choice filters; `countries` is
    the column that the choice of a group of countries filters, where there is one. `draws` says which column each field of the chart is,
    and `label` which columns name a row.
    """

    name: str
    data: str
    columns: tuple[Shown, ...]
    chart: Chart | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    countries: str | None = None
    draws: Mapping[str, str] = field(default_factory=dict)
    label: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page: `order` of the menu, the `choices` in their order, `queries` by name, `figures` in the order of the page.

    `defaults` are the choices that the page opens with; a choice among `optional` may be left open. The rows of a query in `by_model` are
    written to a file for each model, and read when that model is chosen.
    """

    order: int
    choices: tuple[str, ...]
    queries: Mapping[str, str]
    figures: tuple[Figure, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    by_model: frozenset[str] = frozenset()
