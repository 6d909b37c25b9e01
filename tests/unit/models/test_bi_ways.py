"""View bi.ways on a few rows: which area's electricity an owned server has, and what stands in a group of countries."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.catalogue.published_sql import bi_views, macros

COLUMNS = """
    on_date DATE, window_days BIGINT, model VARCHAR, precision VARCHAR, workload VARCHAR, utilisation_share DOUBLE, option VARCHAR,
    gpu VARCHAR, provider VARCHAR, country VARCHAR, low_usd_per_million_output_tokens DOUBLE, base_usd_per_million_output_tokens DOUBLE,
    high_usd_per_million_output_tokens DOUBLE, base_eur_per_million_output_tokens DOUBLE, base_usd_per_gpu_hour DOUBLE,
    output_tokens_per_second_per_gpu DOUBLE, price_as_of_on DATE, price_age_days BIGINT
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(
            f"CREATE SCHEMA marts; CREATE TABLE marts.cost_per_token ({COLUMNS}); CREATE TABLE marts.price_today (country VARCHAR)"
        )
        made.execute(next(macro.sql for macro in macros() if macro.name == "eu_countries"))
        yield made


def add(connection: duckdb.DuckDBPyConnection, option: str, country: str | None, usd: float, provider: str | None = None) -> None:
    precision = None if option == "api" else "fp8"
    row = ["2026-11-26", 30, "m", precision, "w", 0.3, option, "g", provider, country, usd, usd, usd, usd, 1.0, 1.0, "2026-11-01", 25]
    connection.execute(f"INSERT INTO marts.cost_per_token VALUES ({', '.join('?' * len(row))})", row)
    connection.execute("INSERT INTO marts.price_today VALUES (?)", [country])


def ways(connection: duckdb.DuckDBPyConnection, group: str) -> dict[str, tuple[str | None, float]]:
    asked = f"SELECT way, country, base_usd_per_million_output_tokens FROM ({bi_views()['ways'].sql}) WHERE country_group = ?"
    return {way: (country, usd) for way, country, usd in connection.execute(asked, [group]).fetchall()}


@pytest.mark.parametrize(
    ("areas", "group", "expected"),
    [
        (["US", "EU27_2020", "FR"], "FR", "FR"),
        (["US", "EU27_2020"], "FR", "EU27_2020"),
        (["US", "EU27_2020"], "EU", "EU27_2020"),
        (["US", "EU27_2020"], "US", "US"),
        (["US"], "FR", "US"),
    ],
)
def test_an_owned_server_has_the_nearest_electricity(
    connection: duckdb.DuckDBPyConnection, areas: list[str], group: str, expected: str
) -> None:
    for dearer, area in enumerate(areas):
        add(connection, "owned", area, 1.0 + dearer)
    assert ways(connection, group)["own"][0] == expected


def test_every_seller_of_a_way_counts_once_in_its_groups(connection: duckdb.DuckDBPyConnection) -> None:
    for country, provider in (("FR", "one"), ("FR", "two"), ("DE", "two"), ("US", "three"), (None, "four")):
        add(connection, "on_demand", country, 2.0, provider)
    add(connection, "api", None, 0.5, "of tokens")
    add(connection, "owned", "US", 1.0)
    asked = f"SELECT country_group, way, seller_count FROM ({bi_views()['ways'].sql}) WHERE country_group IN ('world', 'EU', 'FR')"
    assert {(group, way): count for group, way, count in connection.execute(asked).fetchall()} == {
        ("FR", "on_demand"): 2,
        ("EU", "on_demand"): 2,
        ("world", "on_demand"): 4,
        ("world", "buy_tokens"): 1,
        **dict.fromkeys([(group, "own") for group in ("FR", "EU", "world")]),
    }


def test_a_group_has_what_stands_in_it_for_certain(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, "on_demand", "FR", 3.0, "of France")
    add(connection, "on_demand", None, 2.0, "of nowhere known")
    add(connection, "spot", "US", 1.0, "of the US")
    add(connection, "commitment_3_months", "DE", 2.5, "of Germany")
    add(connection, "api", None, 0.5, "of tokens")
    assert ways(connection, "FR") == {"on_demand": ("FR", 3.0)}
    assert ways(connection, "EU") == {"on_demand": ("FR", 3.0), "commit": ("DE", 2.5)}
    assert ways(connection, "world") == {
        "on_demand": (None, 2.0),
        "spot": ("US", 1.0),
        "commit": ("DE", 2.5),
        "buy_tokens": (None, 0.5),
    }
