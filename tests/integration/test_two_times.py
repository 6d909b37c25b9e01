"""The macros of prices at an instant and as they were known, on the archive."""

from __future__ import annotations

from datetime import datetime

import duckdb

BEFORE_THE_CUT, AFTER = datetime(2025, 6, 1), datetime(2025, 9, 1)


def p5(published: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return published.sql(f"SELECT usd_per_hour FROM {sql} WHERE instance_type = 'p5.48xlarge' AND purchase_option = 'on_demand'").fetchall()


def test_the_macro_says_what_was_known(published: duckdb.DuckDBPyConnection) -> None:
    [(known,)] = published.sql(
        "SELECT min(known_from) FROM marts.price_history_versions WHERE instance_type = 'p5.48xlarge' AND usd_per_hour > 98"
    ).fetchall()
    assert (98.32,) in p5(published, f"marts.price_known('{BEFORE_THE_CUT}', '2026-11-01')")
    assert p5(published, f"marts.price_known('{BEFORE_THE_CUT}', '1999-01-01')") == []
    assert known <= datetime(2026, 11, 1)


def test_what_is_known_now_is_the_history(published: duckdb.DuckDBPyConnection) -> None:
    for instant in (BEFORE_THE_CUT, AFTER):
        now = published.sql(f"SELECT series_id, usd_per_hour FROM marts.price_at('{instant}') ORDER BY ALL").fetchall()
        said = published.sql(f"SELECT series_id, usd_per_hour FROM marts.price_known('{instant}', '9999-12-31') ORDER BY ALL")
        assert now == said.fetchall()
        assert now
