"""The SQL that is published with a version: views of schema `bi` and the analysts' macros.

Belongs here: reading `sql/bi` and `sql/macros`. Does not belong here: creating them in a file (`publication`).
"""

from __future__ import annotations

from pipelines.platform.paths import SQL_FOLDER


def bi_views() -> dict[str, str]:
    """SQL of every view of schema `bi` by name, in an order in which they can be made: by name, as none reads another."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL_FOLDER / "bi").glob("*.sql"))}


def macros() -> str:
    """SQL that makes the analysts' macros."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((SQL_FOLDER / "macros").glob("*.sql")))
