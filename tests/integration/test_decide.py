"""`breakeven decide` on the archive: the shipped examples, each figure traced by the query that is shown, errors of usage."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines import decision
from pipelines.decision.market import LONGEST_AGE_DAYS, Market
from pipelines.decision.options.rented import BY_THE_HOUR
from pipelines.monitoring.watch import look_and_tell
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import AlertSettings, Settings
from tests.support.cli import Cli
from tests.support.paths import ROOT
from tests.unit.decision import recompute
from tests.unit.economics.validation_page import BELOW_AWS, QUARTILES_USD, SELLERS

EXAMPLES = sorted((ROOT / "docs" / "workloads").glob("*.yaml"))


def answer(archive: Cli, path: Path) -> dict[str, Any]:
    done = archive("decide", str(path), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_has_an_answer_whose_figures_are_traced(archive: Cli, published: duckdb.DuckDBPyConnection, path: Path) -> None:
    found = answer(archive, path)
    assert found["recommendation"] == found["options"][0]["title"]
    assert len({o["kind"] for o in found["options"]}) == len(found["options"]) >= 3
    assert found["payback"] and found["what_would_change_it"] and found["reasons"]
    for source in found["sources"]:
        row = published.execute(source["query"]).fetchall()
        assert row, source["query"]
        assert source["age_days"] >= 0 and source["source"]
    for option in found["options"]:
        for band in filter(None, option["cost"].values()):
            assert 0 < band["low"] <= band["base"] <= band["high"]


def test_the_example_in_the_eu_is_in_euros_and_in_the_eu(archive: Cli) -> None:
    found = answer(archive, ROOT / "docs" / "workloads" / "public-service-eu.yaml")
    assert found["currency"] == "EUR"
    offers = [o["offer"] for o in found["options"] if o["offer"]]
    assert offers and {o["country"] for o in offers} <= {"NL", "FR", "DE", "BE", "FI", "IE", "ES", "IT", "PL", "SE", "DK"}
    extra = {c["constraint"]: c["extra"] for c in found["constraint_costs"]}
    assert set(extra) == {"countries", "spot_allowed", "capital_budget"} and extra["countries"] > 0
    assert found["not_possible"]["api"] == "where a seller by the token computes is not known"


def test_text_and_page_say_the_same(archive: Cli) -> None:
    text = archive("decide", str(EXAMPLES[0]))
    page = archive("decide", str(EXAMPLES[0]), "--html")
    assert text.returncode == page.returncode == 0
    headings = re.findall(r"^(.+)\n=+$", text.stdout, flags=re.MULTILINE)
    assert len(headings) > 8
    assert re.findall(r"<h2>(.*?)</h2>", page.stdout) == headings
    assert "<script" not in page.stdout and "src=" not in page.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("model: Llama-3.1-70B/model: Llama-9", "model is 'Llama-9', of which nothing was measured and no size is known; expected one of"),
        ("ttft_s: 2/ttft_s: 0.000001", "no rate of Llama-3.1-70B (fp8) at tokens 1024/1024 meets objective.ttft_s"),
        ("[fp8]/[bf16]\nestimates: never", "in which Llama-3.1-70B was not measured; expected one of fp4, fp8"),
        ("shape: business_hours/shape: odd", "load.shape"),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_usage(archive: Cli, tmp_path: Path, change: str, said: str) -> None:
    old, new = change.split("/")
    path = tmp_path / "w.yaml"
    path.write_text((ROOT / "docs" / "workloads" / "support-chat.yaml").read_text().replace(old, new))
    done = archive("decide", str(path))
    assert done.returncode == 2
    assert said in done.stderr


def test_a_precision_that_nobody_measured_is_answered_by_a_marked_estimate(archive: Cli, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text((ROOT / "docs" / "workloads" / "support-chat.yaml").read_text().replace("[fp8]", "[bf16]"))
    done = archive("decide", str(path))
    assert done.returncode == 0, done.stderr
    assert "on an estimated rate, off by up to" in done.stdout


def test_errors_of_rates_are_printed_by_model_and_over_all(archive: Cli) -> None:
    done = archive("rate-errors", "--json")
    assert done.returncode == 0, done.stderr
    found = {(e["method"], e["scope"]): e for e in json.loads(done.stdout)}
    for key in (
        ("estimate, model left out", "all models"),
        ("carried between lengths", "all models"),
        ("between concurrencies", "all sweeps"),
    ):
        error = found[key]
        assert error["rows"] > 100 and 0 < error["half_within"] < error["four_of_five_within"] < 1 < error["worst"]


def test_the_macros_of_the_formulas_answer_on_the_published_file(published: duckdb.DuckDBPyConnection) -> None:
    differing = published.execute(
        """
        SELECT count(*) FROM marts.break_even
        WHERE abs(base_break_even_utilisation_share
                  - marts.break_even_utilisation(owned_fixed_usd_per_hour, owned_variable_usd_per_hour, rented_usd_per_hour)) > 1e-9
        """
    ).fetchall()
    assert differing == [(0,)]


TWELVE = sorted((ROOT / "docs" / "workloads" / "twelve").glob("*.yaml"))


@pytest.mark.parametrize("path", TWELVE, ids=lambda p: p.stem)
def test_twelve_workloads_are_recomputed_hour_by_hour(published: duckdb.DuckDBPyConnection, path: Path) -> None:
    workload, load = decision.load_workload(path)
    market = decision.read_market(published, workload)
    found = decision.as_dict(decision.decide(workload, load, market, draws=1))
    base = {name: a.band["base"] for (name, scope), a in market.assumptions.items() if scope is None}
    base["network_share_high"] = market.assumptions["network_share", None].band["high"]
    hours, growth, spare = list(load), workload.load.growth_per_year, workload.resilience.spare_servers
    waste = base["spot_restart_s"] / base["spot_mean_time_between_interruptions_s"]
    lengths = (workload.tokens.input, workload.tokens.output)
    assert found["options"]
    for option in found["options"]:
        years = workload.horizon_years
        if option["kind"] in BY_THE_HOUR:
            again = recompute.rent(option, hours, growth, years, waste, spare)
        elif option["kind"] in ("own", "hybrid"):
            again = recompute.own(
                option, hours, growth, years, base, market.electricity.band["base"], gathers=workload.tokens.batch, waste=waste
            )
        elif option["kind"].startswith("commitment") or option["kind"] == "dedicated_month":
            again = recompute.commit(option, hours, growth, waste, spare)
        else:
            assert option["kind"] == "api"
            batch = option["api"]["batch_share"] if workload.tokens.batch and option["api"]["batch_share"] else 1.0
            again = recompute.tokens(option, hours, growth, years, lengths, workload.tokens.cached_input_share, batch)
        assert option["cost_usd"][years]["base"] == pytest.approx(again, rel=1e-9)


def test_every_answer_is_said_in_french(archive: Cli) -> None:
    done = archive("decide", *map(str, [*EXAMPLES, *TWELVE]), "--language", "fr")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\nRecommandation\n") == len(EXAMPLES) + len(TWELVE)


def test_a_watched_workload_is_decided_after_a_refresh_and_its_turn_is_told(archive: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "published").symlink_to(archive.data / "published")
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    text = EXAMPLES[0].read_text()
    good.write_text(text)
    bad.write_text(text + "modell: a\n")
    settings = Settings(data=data, alerts=AlertSettings(workloads=(good, bad)))
    told = look_and_tell(settings, {}, utc_now())
    assert [m.key for m in told.begun if m.key.startswith("workload:")] == [f"workload:{bad}:unanswered"]
    remembered = json.loads((data / "alerts.json").read_text())
    assert remembered["answers"][str(good)]["kind"] == answer(archive, EXAMPLES[0])["options"][0]["kind"]
    remembered["answers"][str(good)] |= {"kind": "api", "way": "buy tokens"}
    (data / "alerts.json").write_text(json.dumps(remembered))
    assert [m.key for m in look_and_tell(settings, {}, utc_now()).begun] == [f"workload:{good}"]
    assert look_and_tell(settings, {}, utc_now()).begun == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as-of", "2026-11-24"], "as of 2026-11-24 nothing is known: what is published ends on 2026-11-23"),
        (["--compare", "2027-01-01"], "as of 2027-01-01 nothing is known"),
        (["--compare", "yesterday"], "expected YYYY-MM-DD or a published version: 2"),
        (["--compare", "../../etc"], "expected YYYY-MM-DD or a published version: 2"),
        (["--compare", "2026-10-01", "--sweep", "load=1e6:1e9"], "not allowed with argument"),
        (["--compare", "2026-10-01", "--html"], "shown as text or as --json"),
        (["--sweep", "load=1e6:1e9", "--markdown"], "shown as text or as --json"),
        (["--output", "/none/answer.txt"], "/none/answer.txt: cannot be written: No such file"),
        (["--watch", "/none/answers.json"], "/none/answers.json: cannot be written: No such file"),
    ],
)
def test_what_cannot_be_asked_is_said(archive: Cli, arguments: list[str], said: str) -> None:
    done = archive("decide", str(TWELVE[5]), *arguments)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_an_answer_is_compared_with_that_of_another_day_in_its_money(archive: Cli) -> None:
    done = archive("decide", str(TWELVE[5]), "--compare", "20261001")
    assert done.returncode == 0, done.stderr
    assert "2026-10-01 against 2026-11-23" in done.stdout and "EUR" in done.stdout and "USD" not in done.stdout
    [found] = json.loads(archive("decide", str(TWELVE[5]), "--compare", "2026-10-01", "--json").stdout)
    assert found["currency"] == "EUR"
    now = {option["kind"]: option["cost"]["1"]["base"] for option in answer(archive, TWELVE[5])["options"]}
    assert {c["kind"]: c["now_cost"] for c in found["changes"] if c["now_cost"]} == pytest.approx(now)


def test_a_version_that_lacks_a_table_of_today_is_said(archive: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    version = data / "published" / "versions" / archive.current.name
    shutil.copytree(archive.current, version)
    (data / "published" / "current").symlink_to(version)
    (data / "published" / "breakeven.duckdb").symlink_to(version / "breakeven.duckdb")
    older = version.with_name("20250101T000000Z-00000000")
    older.mkdir()
    shutil.copy(version / "breakeven.duckdb", older)
    with duckdb.connect(str(older / "breakeven.duckdb")) as connection:
        connection.execute("DROP TABLE marts.cost_assumption")
    done = Cli(data)("decide", str(TWELVE[5]), "--compare", older.name)
    assert done.returncode == 2 and f"--compare: {older.name} lacks what this release reads" in done.stderr
    (data / "published" / "current").unlink()
    (data / "published" / "current").symlink_to(older)
    (data / "published" / "breakeven.duckdb").unlink()
    (data / "published" / "breakeven.duckdb").symlink_to(older / "breakeven.duckdb")
    done = Cli(data)("decide", str(TWELVE[5]))
    assert (
        done.returncode == 2 and "what is published lacks what this release reads" in done.stderr and "`breakeven refresh`" in done.stderr
    )


def test_an_answer_is_compared_with_the_version_that_is_read(archive: Cli) -> None:
    same = archive("decide", str(TWELVE[5]), "--compare", archive.current.name)
    assert same.returncode == 0 and "The answer is the same." in same.stdout


def test_several_files_are_several_answers_and_a_portfolio_is_one(archive: Cli, tmp_path: Path) -> None:
    paths = []
    for name, tokens in (("day", 4e8), ("night", 6e8)):
        document = yaml.safe_load(TWELVE[5].read_text())
        document |= {"name": name, "load": {"output_tokens_per_day": tokens, "shape": "constant"}}
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(yaml.safe_dump(document))
    done = archive("decide", *map(str, paths), "--json")
    assert done.returncode == 0, done.stderr
    alone = json.loads(done.stdout)
    assert [found["workload"]["name"] for found in alone] == ["day", "night"]
    shared = json.loads(archive("decide", *map(str, paths), "--portfolio", "--json").stdout)
    assert shared["workload"]["name"] == "day + night" and shared["workload"]["load"]["output_tokens_per_day"] == pytest.approx(1e9)
    assert shared["options"][0]["facts"]["machines_at_the_peak"] < 2 * max(
        found["options"][0]["facts"]["machines_at_the_peak"] for found in alone
    )
    for shown, said in ((["--html"], "give one workload, or --portfolio"), (["--watch", str(tmp_path / "w.json"), "--portfolio"], "")):
        again = archive("decide", *map(str, paths), *shown)
        assert said in again.stderr and again.returncode == (2 if said else 0)


def test_all_ways_age_by_one_rule(published: duckdb.DuckDBPyConnection) -> None:
    workload, _ = decision.load_workload(EXAMPLES[0])
    market = decision.read_market(published, workload)
    ages = {kind: [x.age_days for x in found] for kind, found in _ways_of(market).items()}
    assert all(ages.values()) and max(max(found) for found in ages.values()) <= LONGEST_AGE_DAYS
    # On a day before anything was known of a kind, none of it answers.
    early = decision.read_market(published, workload, market.as_of - dt.timedelta(days=90))
    assert {x.price_on for found in _ways_of(early).values() for x in found} <= {
        early.as_of - dt.timedelta(days=age) for age in range(LONGEST_AGE_DAYS + 1)
    }


def test_what_cannot_be_had_today_could_be_had_before(archive: Cli, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes((archive.current / "breakeven.duckdb").read_bytes())
    workload, _ = decision.load_workload(EXAMPLES[0])

    def offered(connection: duckdb.DuckDBPyConnection, day: dt.date | None = None) -> set[str]:
        return {offer.series_id for offer in decision.read_market(connection, workload, day).offers}

    with duckdb.connect(str(copy)) as connection:
        (today,) = connection.execute("SELECT max(on_date) FROM marts.cost_per_token").fetchall()[0]
        yesterday = today - dt.timedelta(days=1)
        before = offered(connection), offered(connection, yesterday)
        gone = min(before[0] & before[1])
        connection.execute("INSERT INTO marts.offer_availability VALUES (?, ?, 'none')", [gone, today])
        assert (offered(connection), offered(connection, yesterday)) == (before[0] - {gone}, before[1])


def _ways_of(market: Market) -> dict[str, list[Any]]:
    return {"rents": [*market.offers], "tokens": [*market.api_offers], "servers": [*market.servers]}


def test_the_market_that_validation_rests_on_is_that_of_the_archive(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        """
        WITH best AS (
            SELECT provider, min(usd_per_gpu_hour) AS usd FROM marts.price_today
            WHERE gpu = 'h100-sxm-80' AND purchase_option = 'on_demand' GROUP BY provider
        )
        SELECT count(*), count(*) FILTER (usd < 6.879), max(usd), quantile_cont(usd, [0.25, 0.5, 0.75]) FROM best
        """
    ).fetchall()
    ((sellers, below, most, quartiles),) = found
    assert (sellers, below) == (SELLERS, BELOW_AWS) and most < 12.29
    assert quartiles == pytest.approx(QUARTILES_USD, rel=1e-3)
