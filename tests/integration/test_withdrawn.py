"""What a seller takes off its list has no vote from that day on, in every table that compares sellers; a source that failed still votes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines import decision
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.lib.source import Payload
from tests.integration.test_offers import rates
from tests.support.cli import SMALL_MARKET, Cli
from tests.support.once import made_once
from tests.support.paths import ROOT

FIRST, GONE, LAST = dt.date(2026, 11, 21), dt.date(2026, 11, 22), dt.date(2026, 11, 23)
H100, OTHER = "gpu_8x_h100_sxm5", "gpu_1x_gh200"


def lambda_lists(*names: str) -> bytes:
    answer = json.loads((ROOT / "tests" / "fixtures" / "lambda" / "answer.json").read_text())
    return json.dumps({"data": {name: answer["data"][name] for name in names}}).encode()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Three days: Lambda's H100 is gone from the second on, OCI answers on the first alone."""

    def make(folder: Path) -> None:
        store = SnapshotStore(folder / "snapshots")
        for number, day in enumerate((FIRST, GONE, LAST)):
            answers = {"lambda": lambda_lists(*([H100, OTHER] if day == FIRST else [OTHER])), "ecb_fx": rates()}
            if day == FIRST:
                answers["oci"] = (ROOT / "tests" / "fixtures" / "oci" / "answer.json").read_bytes()
            for name, content in answers.items():
                at = dt.datetime.combine(day, dt.time(6))
                store.add(name, day, f"run-{number}", [Payload("answer", f"https://{name}.example/", content, at)])
        done = Cli(folder, SMALL_MARKET)("refresh", "--offline", "--as-of", LAST.isoformat())
        assert done.returncode in (0, 3), done.stdout + done.stderr

    return Cli(made_once(tmp_path_factory, "withdrawn", make), SMALL_MARKET)


@pytest.fixture
def published(shop: Cli) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(shop.current / "breakeven.duckdb"), read_only=True) as connection:
        yield connection


def test_it_is_last_known_with_the_day_on_which_it_was_taken_off(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        "SELECT source, price_basis, price_as_of_on, withdrawn_on FROM bi.price_today"
        " WHERE source IN ('lambda', 'oci') AND gpu = 'h100-sxm-80' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert found == [("lambda", "last_known", FIRST, GONE), ("oci", "current", FIRST, None)]


@pytest.mark.parametrize(("day", "sells"), [(FIRST, True), (GONE, False), (LAST, False)])
def test_it_has_a_vote_until_then(published: duckdb.DuckDBPyConnection, day: dt.date, sells: bool) -> None:
    def number(sql: str, on: dt.date) -> int:
        return int(published.execute(sql, {"day": on}).fetchall()[0][0])

    of_lambda = "(SELECT series_id FROM marts.price_history WHERE source = 'lambda')"
    rented = f"SELECT count(*) FROM marts.rented_price WHERE on_date = $day AND price_series_id IN {of_lambda}"
    assert bool(number(rented, day)) is sells
    market = (
        "SELECT seller_count FROM marts.market_price WHERE gpu = 'h100-sxm-80' AND purchase_option = 'on_demand'"
        " AND country_group = 'world' AND trust_group = 'professional' AND on_date <= $day AND held_until_on >= $day"
    )
    # OCI, which failed since, and those of the archive stand on every day.
    assert number(market, day) == number(market, LAST) + sells


def test_views_of_the_day_count_those_who_sell(published: duckdb.DuckDBPyConnection) -> None:
    of_gpu = "gpu = 'h100-sxm-80'"
    (index,) = published.execute(
        f"SELECT seller_count FROM bi.market_today WHERE {of_gpu} AND purchase_option = 'on_demand' AND country_group = 'world'"
        " AND trust_group = 'professional'"
    ).fetchall()
    anywhere = f"SELECT seller_count FROM bi.sovereignty WHERE {of_gpu} AND requirement = 'anywhere' AND option = 'on_demand'"
    assert published.execute(anywhere).fetchall() == [index]
    for (sellers,) in published.execute(f"SELECT DISTINCT sellers FROM bi.own_or_rent WHERE rent_{of_gpu}").fetchall():
        assert sellers is None or "lambda" not in sellers.split(", ")
    assert published.execute("SELECT count(*) FROM bi.price_today WHERE source = 'lambda' AND is_on_sale AND " + of_gpu).fetchall() == [
        (0,)
    ]


def test_decide_rents_it_on_no_later_day(published: duckdb.DuckDBPyConnection) -> None:
    workload, _ = decision.load_workload(sorted((ROOT / "docs" / "workloads").glob("*.yaml"))[0])

    def sources(day: dt.date) -> set[str]:
        return {offer.source for offer in decision.read_market(published, workload, day).offers if offer.gpu == "h100-sxm-80"}

    assert "lambda" in sources(FIRST)
    assert "lambda" not in sources(GONE) | sources(LAST)
