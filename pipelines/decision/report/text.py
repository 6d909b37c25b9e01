"""The report as plain text of at most 100 columns, and as Markdown.

Belongs here: wrapping and aligning. Does not belong here: what is said (`sections`).
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from pipelines.decision.plan import Decision
from pipelines.decision.report.sections import Verbatim, sections
from pipelines.decision.report.speech import speech

WIDTH = 100
LEAST_COLUMN = 10
LONGEST_WORD = 14


def as_text(decision: Decision, language: str = "en") -> str:
    """The report in plain text."""
    parts = []
    for heading, content in sections(decision, speech(language)):
        body = _paragraphs(content) if isinstance(content, str) else table(content)
        parts.append(f"{heading}\n{'=' * len(heading)}\n{body}")
    return f"{decision.workload.name}\n\n" + "\n\n".join(parts)


def _paragraphs(content: str) -> str:
    if isinstance(content, Verbatim):
        return content
    return "\n".join(textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in content.splitlines())


def table(found: list[dict[str, Any]], width: int = WIDTH) -> str:
    """Rows as an aligned table; texts are wrapped until it fits."""
    if not found:
        return "(no rows)"
    names = list(found[0])
    cells = [[cell(row.get(name)) for name in names] for row in found]
    numeric = [all(_is_figure(row[i]) for row in cells) for i in range(len(names))]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    heads = [max(map(len, name.split())) for name in names]
    widths = [max(w, min(len(name), max(head, LEAST_COLUMN))) for w, name, head in zip(widths, names, heads, strict=True)]
    least = [max([LEAST_COLUMN, *(len(part) for row in cells for part in _unbroken(row[i], numeric[i]))]) for i in range(len(names))]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    lines = [*_lines(names, widths, numeric), "  ".join("-" * w for w in widths)]
    for row in cells:
        lines += _lines(row, widths, numeric)
    return "\n".join(lines)


def _lines(row: list[str], widths: list[int], numeric: list[bool]) -> list[str]:
    wrapped = [_wrapped(text, w) for text, w in zip(row, widths, strict=True)]
    return [
        "  ".join(
            (part[n] if n < len(part) else "").rjust(w) if right else (part[n] if n < len(part) else "").ljust(w)
            for part, w, right in zip(wrapped, widths, numeric, strict=True)
        ).rstrip()
        for n in range(max(map(len, wrapped)))
    ]


def _wrapped(text: str, width: int) -> list[str]:
    # A figure is never broken in two, a range only between its ends.
    if len(text) > width and len(_parts(text)) > 1:
        return _parts(text)
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _unbroken(text: str, is_figure: bool) -> list[str]:
    """What of a cell stands on one line: its figures, and words that are no addresses or lists."""
    return _parts(text) if is_figure else [word for word in text.split() if len(word) <= LONGEST_WORD]


def _parts(text: str) -> list[str]:
    """A figure, or both ends of a range."""
    low, dots, high = text.partition("..")
    return [low + dots, high] if dots and _is_figure(text) else [text]


def as_markdown(decision: Decision, language: str = "en") -> str:
    """The report in Markdown."""
    parts = [f"# {_escaped(decision.workload.name)}"]
    for heading, content in sections(decision, speech(language)):
        parts.append(f"## {heading}")
        if isinstance(content, str):
            parts.append(f"```\n{content}\n```" if isinstance(content, Verbatim) else "\n\n".join(map(_escaped, content.splitlines())))
        elif content:
            names = list(content[0])
            head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}"
            parts.append("\n".join([head, *(f"| {' | '.join(_escaped(cell(row.get(n))) for n in names)} |" for row in content)]))
    return "\n\n".join(parts) + "\n"


def cell(value: Any) -> str:
    """A value as it is shown; what is not known is a dash."""
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _is_figure(text: str) -> bool:
    return text == "-" or re.sub("[,.%\u202f]", "", text).removeprefix("-").isdigit()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
