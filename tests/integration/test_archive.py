"""What a machine without network publishes: the real prices that ship, dated as they are."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.publication.parts import files_of
from tests.support.cli import Cli
from tests.support.paths import ROOT

Connection = duckdb.DuckDBPyConnection


def values(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize(("instant", "usd"), [("2025-06-22 23:59:59", 98.32), ("2025-06-23 00:00:00", 55.04), ("2026-07-01", 55.04)])
def test_the_cut_of_june_2025(published: Connection, instant: str, usd: float) -> None:
    found = values(
        published,
        f"""SELECT usd_per_hour, usd_per_gpu_hour FROM marts.price_at('{instant}')
            WHERE instance_type = 'p5.48xlarge' AND region = 'us-east-1' AND purchase_option = 'on_demand'""",
    )
    assert found == [(usd, usd / 8)]


def test_gcp_spot_falls_and_rises(published: Connection) -> None:
    found = dict(
        values(
            published,
            """SELECT strftime(valid_from, '%Y-%m'), usd_per_hour FROM marts.price_history
               WHERE instance_type = 'a3-highgpu-8g' AND region = 'us-central1' AND purchase_option = 'spot'""",
        )
    )
    assert found["2025-03"] == pytest.approx(20.42, abs=0.01)
    assert found["2026-07"] == pytest.approx(50.61, abs=0.01)


def test_every_price_has_source_date_and_licence(published: Connection) -> None:
    assert values(published, "SELECT count(*) FROM marts.price_history WHERE source = '' OR licence = '' OR observed_at IS NULL") == [(0,)]


def test_period_means_never_enter_the_history(published: Connection) -> None:
    assert values(published, "SELECT count(*) FROM marts.price_history WHERE source = 'archive_aws_spot_monthly'") == [(0,)]


def test_nothing_is_blank_or_redated_after_the_archive_ends(published: Connection) -> None:
    found = values(
        published,
        """SELECT option, min(price_basis), max(price_as_of_on), min(price_age_days),
                  count(*) FILTER (base_usd_per_million_output_tokens IS NULL)
           FROM bi.cost_per_million_tokens
           WHERE on_date = '2026-11-23' AND model = 'Llama-3.1-70B' AND precision = 'fp8' AND window_days = 7
             AND workload = 'business_hours_1024_1024' AND option IN ('on_demand', 'spot', 'commitment_12_months')
           GROUP BY option ORDER BY option""",
    )
    assert [row[0] for row in found] == ["commitment_12_months", "on_demand", "spot"]
    for _, basis, as_of, age, blank in found:
        assert basis == "last_known"
        assert isinstance(as_of, dt.date) and as_of <= dt.date(2026, 11, 16)
        assert isinstance(age, int) and age >= (dt.date(2026, 11, 23) - as_of).days
        assert blank == 0


def test_every_bi_view_says_how_old_its_figures_are(published: Connection) -> None:
    for (view,) in values(published, "SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi'"):
        columns = {row[0] for row in values(published, f'SELECT column_name FROM (DESCRIBE bi."{view}")')}
        assert columns & {"price_age_days", "age_days", "moved_days_ago"}, view
        text = published.execute("SELECT sql FROM duckdb_views() WHERE schema_name = 'bi' AND view_name = ?", [view]).fetchall()[0][0]
        assert "now()" not in text.lower() and "current_" not in text.lower(), view


def test_owned_cost_at_full_use_is_that_of_the_defaults(published: Connection) -> None:
    found = dict(
        values(
            published,
            """SELECT o.gpu, (o.base_fixed_usd_per_hour + o.base_variable_usd_per_hour) / 8 / (c.output_tokens_per_second_per_gpu * 0.0036)
               FROM marts.owned_server_cost AS o
               INNER JOIN marts.cost_per_token AS c ON c.gpu = o.gpu AND c.on_date = o.on_date
               WHERE o.on_date = '2026-11-23' AND c.window_days = 30 AND c.option = 'owned' AND c.model = 'Llama-3.1-70B'
                 AND c.precision = 'fp8' AND c.workload = 'steady_1024_1024'""",
        )
    )
    assert found["h100-sxm-80"] == pytest.approx(0.62, abs=0.02)
    assert found["h200-sxm-141"] == pytest.approx(0.26, abs=0.01)
    # 338,496 USD for the server and 4,215 tokens/s: 22.80 USD an hour.
    assert found["b200-sxm-180"] == pytest.approx(0.188, abs=0.002)


def test_a_figure_is_traced_to_its_dated_source(published: Connection) -> None:
    found = values(
        published,
        """SELECT c.base_usd_per_million_output_tokens, p.source_detail, p.observed_at, p.licence, t.source_detail, t.measured_on
           FROM marts.cost_per_token AS c
           INNER JOIN marts.price_history AS p ON p.series_id = c.price_series_id
           INNER JOIN marts.throughput AS t USING (throughput_id)
           WHERE c.on_date = '2026-11-23' AND c.option = 'on_demand' AND c.gpu = 'h100-sxm-80' AND c.provider = 'aws'
             AND c.window_days = 30 AND c.model = 'Llama-3.1-70B' AND c.precision = 'fp8' AND c.workload = 'business_hours_1024_1024'
             AND p.valid_from <= c.price_as_of_on::TIMESTAMP ORDER BY p.valid_from DESC LIMIT 1""",
    )
    assert len(found) == 1 and all(value is not None for value in found[0])


def test_tables_and_comments_are_those_of_the_contracts(published: Connection) -> None:
    for contract in [*catalogue().layer("marts"), *catalogue().layer("ops")]:
        columns = values(
            published,
            f"""SELECT column_name, comment FROM duckdb_columns()
                WHERE schema_name = '{contract.layer}' AND table_name = '{contract.name}' ORDER BY column_index""",
        )
        assert columns == [(c.name, " ".join(c.comment.split())) for c in contract.columns]


def test_parquet_holds_the_same_rows(archive: Cli, published: Connection) -> None:
    for contract in catalogue().layer("marts"):
        parquet = f"read_parquet({[str(file) for file in files_of(archive.current, contract.table).values()]})"
        differing = values(
            published,
            f"(FROM {parquet} EXCEPT FROM marts.{contract.name}) UNION ALL (FROM marts.{contract.name} EXCEPT FROM {parquet})",
        )
        assert differing == [], contract.name


def test_no_wal_and_two_links(archive: Cli) -> None:
    folder = archive.data / "published"
    assert not list(folder.rglob("*.wal"))
    assert (folder / "current").is_symlink() and (folder / "breakeven.duckdb").is_symlink()


@pytest.mark.parametrize("threads", ["1", pytest.param("2", marks=pytest.mark.long), "8"])
def test_a_rebuild_gives_the_same_bytes_at_any_number_of_threads(archive: Cli, cli: Cli, threads: str) -> None:
    done = cli("refresh", "--offline", "--as-of", "2026-11-23", environment={"POLARS_MAX_THREADS": threads})
    assert done.returncode == 0, done.stderr
    marts = [
        {file.relative_to(where): file.read_bytes() for file in (where / "marts").rglob("*.parquet")}
        for where in (archive.current, cli.current)
    ]
    assert [name for name in marts[0].keys() | marts[1].keys() if marts[0].get(name) != marts[1].get(name)] == []


def test_older_clients_can_read_the_file(archive: Cli) -> None:
    header = (archive.current / "breakeven.duckdb").read_bytes()[:64]
    assert header[8:12] == b"DUCK"
    assert archive.manifest()["duckdb_storage_version"] == "v1.2.0"


def test_a_day_of_the_past_knows_nothing_of_later(cli: Cli) -> None:
    done = cli("refresh", "--offline", "--as-of", "2025-01-15")
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(cli.current / "breakeven.duckdb"), read_only=True) as connection:
        assert values(connection, "SELECT max(valid_from) < '2025-01-16', max(observed_at) < '2025-01-16' FROM marts.price_history") == [
            (True, True)
        ]
        assert values(connection, "SELECT max(on_date) FROM marts.gpu_price_rolling") == [(dt.date(2025, 1, 15),)]


def test_summary_as_json_and_as_text(archive: Cli) -> None:
    again = archive("refresh", "--offline", "--as-of", "2026-11-23", "--json")
    assert again.returncode == 0, again.stderr
    facts = json.loads(again.stdout)
    assert facts["outcome"] == "unchanged" and len(facts["cheapest"]) == 5
    # All quotes of servers are of January: that is said from 90 days before on.
    assert "server_quotes_expire_soon" in {row["rule"] for row in facts["warnings"]}
    # What Dagster has to say of the steps that were skipped is no news to a person.
    assert {line.split()[0] for line in again.stderr.splitlines()} == {"source", "nothing"}, again.stderr
    assert {row["comparator"] for row in facts["break_even"]} == {"cheapest", "market_median", "dearest"}
    assert all(row["seller_count"] >= 9 for row in facts["break_even"] if row["server"] == "8x-h100-sxm-80")


def test_a_refresh_with_nothing_new_leaves_dagster_alone(archive: Cli) -> None:
    said = "import sys; from pipelines.cli.main import main; code = main(sys.argv[1:]); print(code, 'dagster' in sys.modules)"
    before = dagster_runs(archive)
    done = subprocess.run(
        [sys.executable, "-c", said, "refresh", "--offline", "--as-of", "2026-11-23"],
        env=archive.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout[-500:] + done.stderr[-500:]
    assert dagster_runs(archive) == before and archive.manifest()["run_id"] in before


def dagster_runs(cli: Cli) -> set[str]:
    with dg.DagsterInstance.from_config(str(cli.data / "dagster")) as instance:
        return {run.run_id for run in instance.get_runs()}


def test_first_question_from_the_command_line(archive: Cli) -> None:
    done = archive(
        "query",
        "SELECT server, comparator, base_break_even_utilisation_share AS use FROM bi.break_even WHERE on_date = '2026-11-23'",
        "--json",
    )
    assert done.returncode == 0 and json.loads(done.stdout)


def test_status_sources_and_dashboard(archive: Cli) -> None:
    status = json.loads(archive("status", "--json").stdout)
    assert status["published"]["as_of"] == "2026-11-23" and status["published"]["blocked"] is False
    listed = {row["source"] for row in json.loads(archive("sources", "--json").stdout)}
    assert {"azure_retail", "ecb_fx", "aws_spot", "archive_aws_on_demand"} <= listed
    assert Path(archive("dashboard").stdout.strip()).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["refresh", "--as-of", "yesterday"], 2, "expected YYYY-MM-DD"),
        (["refresh", "--source", "nobody"], 2, "unknown source 'nobody'"),
        (["query", "SELECT * FROM marts.nothing"], 1, "nothing"),
        (["sources", "--probe", "aws_spot"], 1, "AWS_ACCESS_KEY_ID"),
    ],
)
def test_errors_say_what_was_expected(archive: Cli, arguments: list[str], code: int, said: str) -> None:
    done = archive(*arguments)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_before_the_first_refresh(cli: Cli) -> None:
    assert cli("query", "SELECT 1").returncode == 1
    assert "run `breakeven refresh` first" in cli("query", "SELECT 1").stderr
    assert "Nothing whole is published yet" in cli("status").stdout


def test_a_bad_setting_is_named(cli: Cli) -> None:
    done = cli("status", environment={"BREAKEVEN_KEEP_VERSIONS": "none"})
    assert done.returncode == 2 and "BREAKEVEN_KEEP_VERSIONS" in done.stderr


def test_definitions_load_as_dagster_loads_them() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::UserWarning:pipelines",
            "-c",
            "from pipelines.definitions import defs; d = defs(); print(len(d.resolve_asset_graph().get_all_asset_keys()))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) > 50
