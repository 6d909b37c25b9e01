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
    """Rows as an aligned table; texts are wrapped until it fits, and columns that do not fit side by side stand below, after the first."""
    if not found:
        return "(no rows)"
    names = list(found[0])
    cells = [[cell(row.get(name)) for name in names] for row in found]
    numeric = [all(_is_figure(row[i]) for row in cells) for i in range(len(names))]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    heads = [max(map(len, name.split())) for name in names]
    widths = [max(w, min(len(name), max(head, LEAST_COLUMN))) for w, name, head in zip(widths, names, heads, strict=True)]
    unbroken = [max((len(part) for row in cells for part in _unbroken(row[i], numeric[i])), default=0) for i in range(len(names))]
    least = [
        max(unbroken[i], min(heads[i], widths[i])) if numeric[i] else max(unbroken[i], min(LEAST_COLUMN, widths[i]))
        for i in range(len(names))
    ]
    shown = []
    for columns in _side_by_side(least, width):
        kept = _narrowed([widths[i] for i in columns], [least[i] for i in columns], width)
        of = [numeric[i] for i in columns]
        lines = [*_lines([names[i] for i in columns], kept, of), "  ".join("-" * w for w in kept)]
        for row in cells:
            lines += _lines([row[i] for i in columns], kept, of)
        shown.append("\n".join(lines))
    return "\n\n".join(shown)


def _side_by_side(least: list[int], width: int) -> list[list[int]]:
    """The columns of each part of a table: all of them where they fit, else as many as do, each part beginning with the first column."""
    parts, taken = [[0]], least[0]
    for i in range(1, len(least)):
        if taken + 2 + least[i] > width and len(parts[-1]) > 1:
            parts.append([0])
            taken = least[0]
        parts[-1].append(i)
        taken += 2 + least[i]
    return parts


def _narrowed(widths: list[int], least: list[int], width: int) -> list[int]:
    """The widths with the widest columns narrowed until all fit, none below its least."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


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
