"""Words that are said in several languages: an English sentence with named places, and the values that stand in them.

Pure. Belongs here: keeping both together until somebody reads them. Does not belong here: any language but English (`report`).

In code, in JSON and in tests a `Said` is its English text; a report finds the sentence of its own language by the template.
"""

from __future__ import annotations

from typing import Any


class Figure(str):
    """A figure as English writes it, where a sum without decimals would say too little."""

    __slots__ = ()


class Said(str):
    """An English text that remembers its template and values. Numbers of type float are sums, shown without decimals."""

    template: str
    values: dict[str, Any]

    __slots__ = ("template", "values")

    def __new__(cls, template: str, values: dict[str, Any] | None = None) -> Said:
        """The template with its places filled."""
        given = values or {}
        shown = {name: f"{value:,.0f}" if isinstance(value, float) else value for name, value in given.items()}
        made = super().__new__(cls, template.format(**shown))
        made.template, made.values = template, given
        return made

    def __getnewargs__(self) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        """What a copy is made of."""
        return self.template, self.values


def said(template: str, **values: Any) -> Said:
    """A text to be said in any language."""
    return Said(template, values)
