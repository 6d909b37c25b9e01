"""A refresh when every shipped quote of a server has grown a year old: what is known stays, is said to be old, and is not compared.

Belongs here: the clock as a person finds it who comes back in February 2027. Does not belong here: a day of the past (`test_archive`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.cli import Cli
from tests.support.once import made_once
from tests.support.paths import ROOT
from tests.support.warm import breakeven, run_command

TODAY, LAST_QUOTE = date(2027, 2, 1), date(2026, 1, 15)


class Later(datetime):
    """A clock that stands in the morning of that day."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Later:
        return cls(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=tz)


def on_that_day(arguments: Sequence[str]) -> int:
    from pipelines.platform import clock

    clock.datetime = Later  # type: ignore[misc]
    return breakeven(arguments)


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    def refresh(folder: Path) -> None:
        cli = Cli(folder / "data")
        done = run_command(["refresh", "--offline", "--json"], cli.environment, ROOT, 600, on_that_day)
        assert done.returncode == 0, done.stdout + done.stderr

    return Cli(made_once(tmp_path_factory, "later", refresh) / "data")


@pytest.fixture
def published(later: Cli) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(later.current / "breakeven.duckdb"), read_only=True) as connection:
        yield connection


def decided(later: Cli, name: str) -> dict[str, Any]:
    done = later("decide", str(ROOT / "docs" / "workloads" / f"{name}.yaml"), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_owned_cost_stands_as_last_known_with_its_true_day(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        """
        SELECT price_basis, max(price_as_of_on), min(price_age_days), count(*) = count(base_usd_per_million_output_tokens)
        FROM marts.cost_per_token
        WHERE on_date = ? AND option = 'owned' AND base_usd_per_million_output_tokens IS NOT NULL GROUP BY price_basis
        """,
        [TODAY],
    ).fetchall()
    assert found == [("last_known", LAST_QUOTE, (TODAY - LAST_QUOTE).days, True)]


def test_it_is_warned_that_the_quotes_are_old(published: duckdb.DuckDBPyConnection) -> None:
    warned = published.execute("SELECT effect, failing_count FROM ops.check_results WHERE rule = 'server_quotes_expire_soon'").fetchall()
    assert [effect for effect, _ in warned] == ["warned"] and warned[0][1] >= 5


WORKLOADS = ["public-service-eu", "support-chat", "twelve/10-model-of-671-billion", "twelve/09-a-million-million-tokens-a-day"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_an_answer_names_owning_at_its_last_known_price_and_is_not_clear_where_that_is_cheaper(later: Cli, name: str) -> None:
    found = decided(later, name)
    assert "own" not in {option["kind"] for option in found["options"]}
    [own] = [one for one in found["last_known"] if one["kind"] == "own"]
    assert (own["price_on"], own["age_days"]) == (str(LAST_QUOTE), (TODAY - LAST_QUOTE).days) and own["cost"] > 0
    assert f"its last known price is of {LAST_QUOTE}, {own['age_days']} days old, limit 365" in found["not_possible"]["own"]
    assert any("own was not compared" in reason and own["title"] in reason for reason in found["reasons"])
    assert own["is_cheaper"] <= (found["how_sure"]["word"] != "clear")


def test_the_text_is_of_that_day(later: Cli) -> None:
    text = later("decide", str(ROOT / "docs" / "workloads" / f"{WORKLOADS[2]}.yaml"))
    said = " ".join(text.stdout.split())
    assert text.returncode == 0 and f"Prices as known on {TODAY}" in said and "own was not compared: its last known price is of" in said
