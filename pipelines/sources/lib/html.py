"""Pages read as a tree, for sources whose prices stand in a table for people.

Belongs here: elements found by tag, class and attribute, and their text. Does not belong here: what any page shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from pipelines.sources.lib.errors import ParseError

_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
# A page does not end before these do.
_CLOSED = frozenset(("html", "body", "section", "table", "div", "script"))
_MAX_NODES = 500_000


@dataclass
class Node:
    """An element with what is in it: texts and elements, in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text within, blanks folded."""
        return " ".join(" ".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        waiting: list[Node | str] = [self]
        while waiting:
            node = waiting.pop()
            if isinstance(node, str):
                yield node
            else:
                waiting += reversed(node.children)

    def find_all(self, tag: str | None = None, *, cls: str | None = None, attribute: str | None = None) -> list[Node]:
        """Elements within that have this tag, this class and this attribute, in the order of the page."""
        found, waiting = [], [*reversed(self.children)]
        while waiting:
            node = waiting.pop()
            if isinstance(node, str):
                continue
            waiting += reversed(node.children)
            if (
                (tag is None or node.tag == tag)
                and (cls is None or cls in node.attributes.get("class", "").split())
                and (attribute is None or attribute in node.attributes)
            ):
                found.append(node)
        return found

    def first(self, tag: str | None = None, *, cls: str | None = None, attribute: str | None = None) -> Node | None:
        """The first of these elements, None where there is none."""
        return next(iter(self.find_all(tag, cls=cls, attribute=attribute)), None)


def read_html(content: bytes, what: str) -> Node:
    """The page as a tree. Raises ParseError for what is no text, is cut off, or has too many elements."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"{what}: not UTF-8: {error}") from error
    builder = _Builder(what)
    builder.feed(text)
    builder.close()
    if any(node.tag in _CLOSED for node in builder.open):
        raise ParseError(f"{what}: the page ends within an element {builder.open[-1].tag}")
    return builder.root


class _Builder(HTMLParser):
    def __init__(self, what: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self._what, self.open, self._count = what, [self.root], 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._count += 1
        if self._count > _MAX_NODES:
            raise ParseError(f"{self._what}: more than {_MAX_NODES:,} elements")
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)
