"""How a section of the page shows its figures. Does not belong here: the page itself (`conftest`)."""

from __future__ import annotations


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table with figures on the right."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---", *["---:"] * (len(head) - 1)], *rows])
