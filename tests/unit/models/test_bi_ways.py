"""View bi.ways on a few rows: which area's electricity an owned server has, what stands in a group of countries, what is too old."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from pipelines.catalogue.published_sql import bi_views, macros
from pipelines.platform.paths import SQL_FOLDER
from pipelines.prices.market import LONGEST_AGE_DAYS

COLUMNS = """
    on_date DATE, window_days BIGINT, model VARCHAR, precision VARCHAR, workload VARCHAR, utilisation_share DOUBLE, option VARCHAR,
    gpu VARCHAR, provider VARCHAR, country VARCHAR, low_usd_per_million_output_tokens DOUBLE, base_usd_per_million_output_tokens DOUBLE,
    high_usd_per_million_output_tokens DOUBLE, base_eur_per_million_output_tokens DOUBLE, base_usd_per_gpu_hour DOUBLE,
    output_tokens_per_second_per_gpu DOUBLE, price_as_of_on DATE, price_age_days BIGINT
"""

BY_AREA = """
    hardware VARCHAR, electricity_area VARCHAR, gpu VARCHAR, gpu_count DOUBLE,
    low_fixed_usd_per_hour DOUBLE, base_fixed_usd_per_hour DOUBLE, high_fixed_usd_per_hour DOUBLE,
    low_variable_usd_per_hour DOUBLE, base_variable_usd_per_hour DOUBLE, high_variable_usd_per_hour DOUBLE
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(
            f"CREATE SCHEMA marts; CREATE TABLE marts.cost_per_token ({COLUMNS}); CREATE TABLE marts.price_today (country VARCHAR)"
        )
        made.execute(f"CREATE SCHEMA bi; CREATE TABLE bi.owned_cost_by_area ({BY_AREA})")
        made.execute(next(macro.sql for macro in macros() if macro.name == "eu_countries"))
        yield made


def add(
    connection: duckdb.DuckDBPyConnection, option: str, country: str | None, usd: float, provider: str | None = None, age: int = 25
) -> None:
    precision = None if option == "api" else "fp8"
    row = ["2026-11-26", 30, "m", precision, "w", 0.3, option, "g", provider, country, usd, usd, usd, usd, 1.0, 1.0, "2026-11-01", age]
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


def test_an_owned_server_costs_what_it_does_in_its_group(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, "owned", "US", 2.0)
    # At a use of 0.3: 13 an hour in the US, 6.5 in France, 26 in the Union, 1.3 in a province.
    for area, fixed, variable in (("US", 10.0, 10.0), ("FR", 5.0, 5.0), ("EU27_2020", 20.0, 20.0), ("CA-QC", 1.0, 1.0), ("FI", 2.0, 2.0)):
        row = ["8x-g", area, "g", 8, *[fixed] * 3, *[variable] * 3]
        connection.execute(f"INSERT INTO bi.owned_cost_by_area VALUES ({', '.join('?' * len(row))})", row)
    add(connection, "on_demand", "DE", 9.0, "of Germany")
    add(connection, "on_demand", "SG", 9.0, "of Singapore")
    owned = {group: ways(connection, group)["own"] for group in ("FR", "EU", "DE", "US", "SG", "world")}
    assert owned == {
        "FR": ("FR", pytest.approx(1.0)),
        "EU": ("EU27_2020", pytest.approx(4.0)),
        "DE": ("EU27_2020", pytest.approx(4.0)),
        **dict.fromkeys(("US", "SG", "world"), ("US", 2.0)),
    }


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


@pytest.mark.parametrize("option", ["owned", "on_demand", "spot", "commitment_12_months"])
def test_a_price_of_more_than_a_year_competes_no_more(connection: duckdb.DuckDBPyConnection, option: str) -> None:
    add(connection, option, "US", 1.0, "long silent", LONGEST_AGE_DAYS + 1)
    add(connection, "api", None, 3.0, "of tokens")
    assert set(ways(connection, "US")) == set() and set(ways(connection, "world")) == set()
    add(connection, option, "US", 2.0, "last heard of a year ago", LONGEST_AGE_DAYS)
    assert [cost for _, cost in ways(connection, "US").values()] == [2.0]


def test_the_limit_of_age_is_one_in_all_statements() -> None:
    asked = [path for folder in ("bi", "checks") for path in sorted((SQL_FOLDER / folder).glob("*.sql"))]
    limits = {path.stem: set(re.findall(r"price_age_days (?:<=|>) (\d{3,})", path.read_text(encoding="utf-8"))) for path in asked}
    named = {name: found for name, found in limits.items() if found}
    assert named == {key: {str(LONGEST_AGE_DAYS)} for key in ["cheapest_today", "ways", "no_winner_changes_by_age"]}
