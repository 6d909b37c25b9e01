"""Many small statements on a version's file as one transaction.

Belongs here: how statements are committed together. Does not belong here: the statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def at_once(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Many small statements as one transaction, which costs as much as one of them.

    None may read what another one inserts: DuckDB 2.0.0 does not find the rows of a transaction's own that were many and in order.
    """
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
