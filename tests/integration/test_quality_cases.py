"""The 16 published quality cases in a real refresh: each bad row is caught by name and absent from the marts, all else is published.

One refresh takes the bad rows of all cases in; what looks like a mistake and is none is published by the same one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.bad_answers import DAY, store_answers
from tests.support.cli import Cli
from tests.support.once import made_once

HISTORY = "SELECT DISTINCT coalesce(usd_per_hour, usd_per_gpu_hour)::DOUBLE FROM marts.price_history WHERE"
A3_SPOT = f"{HISTORY} instance_type = 'a3-highgpu-8g' AND purchase_option = 'spot' AND region = 'us-central1' AND valid_from ="
A_GOOD_ONE = f"{HISTORY} source = 'shadeform' AND sku = 'good 7'"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    def make(folder: Path) -> None:
        store_answers(folder / "snapshots")
        done = Cli(folder)("refresh", "--offline", "--as-of", DAY.isoformat(), "--json")
        assert done.returncode == 0, done.stdout + done.stderr

    return Cli(made_once(tmp_path_factory, "quality_cases", make))


@pytest.fixture(scope="module")
def published(day: Cli) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(day.current / "breakeven.duckdb"), read_only=True)


# Where the row is caught and by which rule, a text that names the row, and what the marts must not give and must give.
QUARANTINED = {
    "Q01 zero": ("native_amount_above", "zero", f"{HISTORY} sku = 'zero'"),
    "Q02 a placeholder of one cent": ("outside_the_band_of_the_device", "one cent", f"{HISTORY} sku = 'one cent'"),
    "Q03 spot above on demand": (
        "spot_not_above_on_demand",
        "101.5",
        f"{HISTORY} source = 'azure_retail' AND purchase_option = 'spot' AND region = 'francecentral'",
    ),
    "Q04 a commitment above on demand": (
        "commitment_not_above_on_demand",
        "101.75",
        f"{HISTORY} source = 'azure_retail' AND purchase_option = 'commitment'",
    ),
    "Q06 four devices for one": ("outside_the_band_of_the_device", "four taken for one", f"{HISTORY} sku = 'four taken for one'"),
    "Q07 memory of another form": ("memory_fits_the_device", "SXM of 94 GB", f"{HISTORY} sku = 'SXM of 94 GB'"),
    "Q08 two amounts for one key": ("one_amount_at_once", "told twice", f"{HISTORY} sku = 'told twice'"),
    "Q14 an imputed price": ("placeholder_is_no_price", "imputed", f"{HISTORY} sku = 'imputed'"),
    "Q10 per thousand for per token": (
        "output_price_in_range",
        "gpt-oss-120b",
        "SELECT usd_per_million_output_tokens FROM marts.token_price WHERE usd_per_million_output_tokens > 1000",
    ),
}
KEPT = {
    "a good price beside them": (A_GOOD_ONE, [2.57]),
    "Q03 Q04 the machine itself": (
        f"{HISTORY} source = 'azure_retail' AND region = 'francecentral' AND purchase_option = 'on_demand'",
        [100.25],
    ),
    "Q05 what a source sold before its answer was empty": (f"{HISTORY} source = 'verda' AND sku = '1H100.80S.30V'", [3.15]),
    "Q08 Windows is no Linux": (f"{HISTORY} source = 'azure_retail' AND region = 'swedencentral'", []),
    "Q09 cents": (f"{HISTORY} sku = 'in cents'", [2.10]),
    "Q11 put together from its parts": (
        f"{HISTORY} source = 'gcp_billing' AND region = 'us-east4'",
        [pytest.approx(208 * 0.03 + 1872 * 0.004 + 8 * 10 + 6000 * 0.08 / 730)],
    ),
    "Q16 zero of a paid seller is unknown": (
        "SELECT usd_per_million_output_tokens FROM marts.token_price WHERE source = 'deepinfra' AND model = 'gpt-oss-120b'",
        [None],
    ),
    "AWS in June 2025, 44% less": (
        f"{HISTORY} instance_type = 'p5.48xlarge' AND region = 'us-east-1' AND purchase_option = 'on_demand' AND valid_from = '2025-06-23'",
        [55.04],
    ),
    "a3 spot down": (
        f"{A3_SPOT} '2025-03-27'",
        [pytest.approx(20.423034)],
    ),
    "a3 spot up": (
        f"{A3_SPOT} '2026-07-30'",
        [pytest.approx(50.609541)],
    ),
    "Voltage Park": (f"{HISTORY} seller = 'voltagepark' AND usd_per_gpu_hour = 1.99", [1.99]),
    "a rise of 40% in autumn": (f"{HISTORY} sku = 'a rise of 40%' ORDER BY ALL", [31.92, 44.7]),
}


@pytest.mark.parametrize("case", QUARANTINED)
def test_the_bad_row_is_caught_by_name_and_not_published(published: duckdb.DuckDBPyConnection, case: str) -> None:
    rule, text, absent = QUARANTINED[case]
    caught = published.execute("SELECT row_key FROM ops.quarantine WHERE rule = ? AND contains(row_json, ?)", [rule, text]).fetchall()
    assert caught, published.execute("SELECT rule, row_key FROM ops.quarantine").fetchall()
    assert published.execute(absent).fetchall() == []
    verdicts = published.execute("SELECT is_passed, failing_count > 0 FROM ops.check_results WHERE rule = ?", [rule]).fetchall()
    assert (False, True) in verdicts


@pytest.mark.parametrize("case", KEPT)
def test_what_is_right_is_published(published: duckdb.DuckDBPyConnection, case: str) -> None:
    sql, wanted = KEPT[case]
    assert [amount for (amount,) in published.execute(sql).fetchall()] == wanted


def test_q05_a_source_that_is_silently_empty_keeps_its_last_answer_and_is_not_well(published: duckdb.DuckDBPyConnection) -> None:
    [(status, detail)] = published.execute("SELECT status, detail FROM ops.source_status WHERE source = 'verda'").fetchall()
    assert status != "ok" and detail
    asked = "SELECT detail FROM ops.check_results WHERE rule = 'snapshot_is_good' AND NOT is_passed AND contains(detail, 'verda')"
    assert published.execute(asked).fetchall()


def test_q11_accelerators_without_their_host_are_caught_by_name_and_are_no_machine(published: duckdb.DuckDBPyConnection) -> None:
    # What a refresh puts aside of an answer is in the quarantine of the one that fetched it; the verdict stands in each.
    verdict = published.execute("SELECT is_passed, failing_count, detail FROM ops.check_results WHERE rule = 'machine_is_whole'").fetchone()
    # The answer that is trimmed for the tests lacks the memory of another machine, and the disks of a commitment.
    assert verdict is not None and verdict[:2] == (False, 3) and verdict[2].startswith("gcp_billing: 3 of 26 rows")
    assert published.execute(f"{HISTORY} source = 'gcp_billing' AND region IN ('asia-southeast1', 'europe-west8', 'all')").fetchall() == []


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ("Q12", "the stated GPUs are not the product of the parallelisms"),
        ("Q15", "takes in input faster than arithmetic allows"),
    ],
)
def test_a_rate_that_cannot_be_is_kept_out_by_name(published: duckdb.DuckDBPyConnection, run: str, reason: str) -> None:
    del run
    found = published.execute("SELECT sum(row_count) FROM marts.throughput_cleaning WHERE source = 'inferencex' AND reason = ?", [reason])
    assert found.fetchall() == [(1,)]
    used = published.execute("SELECT model FROM marts.throughput WHERE source = 'inferencex'").fetchall()
    assert used == [("DeepSeek-R1",)]


def test_q13_the_harmonic_identity_is_asked_of_every_cost(published: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT is_passed, row_count > 1000, unknown_count FROM ops.check_results WHERE rule = 'harmonic_identity'"
    assert (True, True, 0) in published.execute(asked).fetchall()


def test_q14_an_estimate_is_marked_wherever_it_is_shown(published: duckdb.DuckDBPyConnection) -> None:
    marked = published.execute("SELECT count(*) FILTER (is_power_estimated), count(*) FROM marts.break_even").fetchone()
    assert marked is not None and 0 < marked[0] < marked[1]


def test_every_row_is_counted_at_each_step(published: duckdb.DuckDBPyConnection) -> None:
    counts = {
        (source, step, reason): (rows, before)
        for source, step, reason, rows, before, _ in published.execute("FROM bi.row_counts").fetchall()
    }
    assert counts["shadeform", "read", "rows of the newest usable answers"] == (49, None)
    assert counts["shadeform", "figures", "what the rows of the newest usable answer came to"] == (49, None)
    assert counts["shadeform", "quarantined", "one_amount_at_once"] == (2, None)
    assert counts["inferencex", "left out", "the stated GPUs are not the product of the parallelisms"] == (1, None)
    assert counts["verda", "unknown", "place"] == (3, None)


def test_counts_stand_beside_those_of_the_refresh_before(day: Cli, tmp_path: Path) -> None:
    again = Cli(tmp_path / "data")
    shutil.copytree(day.data, again.data, symlinks=True)
    # Nothing is new: without `--rebuild` the version stays the first one.
    done = again("refresh", "--offline", "--as-of", DAY.isoformat(), "--rebuild", "--json")
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(again.current / "breakeven.duckdb"), read_only=True) as connection:
        counts = "SELECT row_count, row_count_before FROM bi.row_counts WHERE source = 'shadeform' AND step = ?"
        assert connection.execute(counts, ["figures"]).fetchall() == [(49, 49)]
        # What the refresh before put aside is put aside once.
        assert sum(rows for rows, _ in connection.execute(counts, ["quarantined"]).fetchall()) == 0
