"""The macros of `sql/macros` give what the Python functions of their names give, to 1e-9; where those refuse, NULL."""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipelines import economics
from pipelines.catalogue.published_sql import macros
from pipelines.prices.places import EU_COUNTRIES

AMOUNTS = [0.0, 0.36, 2.69, 98.32, 250_141.8, -1.0, float("nan"), float("inf")]
SHARES = [0.0, 0.3, 0.8, 1.0, 1.2, -0.1, float("nan")]
OPTIONS = ["on_demand", "spot", "commitment", "capacity_block", "dedicated_month"]
NAMES = [
    "capital_recovery_factor",
    "residual_share",
    "usd_per_million_tokens",
    "effective_cloud_usd_per_hour",
    "blended_api_usd_per_million",
    "break_even_utilisation",
    "break_even_hours",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("CREATE SCHEMA marts; CREATE TABLE marts.price_history (valid_from TIMESTAMP, valid_to TIMESTAMP)")
        made.execute(
            "CREATE TABLE marts.price_history_versions AS SELECT *, valid_from AS known_from, valid_to AS known_to FROM marts.price_history"
        )
        for macro in macros():
            made.execute(macro.sql)
        yield made


def values_of(parameter: str) -> list[Any]:
    if parameter == "purchase_option":
        return OPTIONS
    if parameter == "cached_input_usd":
        return [None, *AMOUNTS]
    return SHARES if parameter.endswith("_share") or parameter == "rate" else AMOUNTS


@pytest.mark.parametrize("name", NAMES)
def test_a_macro_is_its_function(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    function = getattr(economics, name)
    parameters = list(inspect.signature(function).parameters)
    every = list(itertools.islice(itertools.product(*map(values_of, parameters)), 200_000))
    chosen = random.Random(1).sample(every, min(len(every), 2_000))
    call = f"SELECT marts.{name}({', '.join('?' for _ in parameters)})"
    reached = 0
    for arguments in chosen:
        ours = connection.execute(call, list(arguments)).fetchall()[0][0]
        try:
            theirs = function(*arguments)
        except (ValueError, OverflowError):
            theirs = None
        if theirs is None:
            assert ours is None, (arguments, ours)
        else:
            reached += 1
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12), (arguments, ours, theirs)
    assert reached >= 20


def test_what_is_left_out_has_the_default_of_the_function(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(
        """SELECT marts.usd_per_million_tokens(10, 1000), marts.effective_cloud_usd_per_hour(98.32, 'on_demand', packing_share := 0.8),
                  marts.residual_share(5), marts.blended_api_usd_per_million(1.25, 10, 8192, 1024)"""
    ).fetchall()
    assert found[0] == pytest.approx(
        (
            economics.usd_per_million_tokens(10, 1000),
            economics.effective_cloud_usd_per_hour(98.32, "on_demand", packing_share=0.8),
            economics.residual_share(5),
            economics.blended_api_usd_per_million(1.25, 10, 8192, 1024),
        ),
        rel=1e-9,
    )


def test_the_members_of_the_european_union_are_those_of_python(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("SELECT marts.eu_countries()").fetchall() == [(sorted(EU_COUNTRIES),)]
