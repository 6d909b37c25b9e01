"""A day on which every source of offers answered with its fixture, through the real command: who is in the history afterwards."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import duckdb
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.lib.offers import OFFER_TABLE
from pipelines.sources.lib.source import Payload
from tests.support.cli import Cli
from tests.support.once import made_once

DAY = dt.date(2026, 11, 23)
OFFERED = {name: module for name, module in discover(catalogue()).items() if module.table == OFFER_TABLE}


def rates() -> bytes:
    """The ECB's file with a rate of the last working day before the day."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("eurofxref-hist.csv", "Date,USD,CHF,\n2026-11-20,1.16,0.93,\n")
    return packed.getvalue()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    def make(folder: Path) -> None:
        store = SnapshotStore(folder / "snapshots")
        at = dt.datetime.combine(DAY, dt.time(6))
        for name in (*OFFERED, "aws_spot_advisor"):
            payloads = [Payload(path.name, f"https://{name}.example/", path.read_bytes(), at) for path in stored_answers(name)]
            store.add(name, DAY, "one-run", payloads)
        store.add("ecb_fx", DAY, "one-run", [Payload("eurofxref-hist.zip", "https://ecb.example/", rates(), at)])
        done = Cli(folder)("refresh", "--offline", "--as-of", DAY.isoformat(), "--json")
        # A fixture lacks most of what a source always sells: partial, and used.
        assert done.returncode in (0, 3), done.stdout + done.stderr

    return Cli(made_once(tmp_path_factory, "offers", make))


@pytest.fixture
def published(day: Cli) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(day.current / "breakeven.duckdb"), read_only=True)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


def test_every_seller_is_in_the_history(published: duckdb.DuckDBPyConnection) -> None:
    found = {name for (name,) in rows(published, "SELECT DISTINCT source FROM marts.price_history")}
    # A machine of which nobody says how many accelerators it has, or only of slices, may be all that a fixture holds.
    assert set(OFFERED) - found == set()


def test_prices_are_comparable_per_gpu(published: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT source, gpu, country, usd_per_gpu_hour FROM marts.price_history WHERE valid_to IS NULL AND source = '{}' ORDER BY ALL"
    assert ("scaleway", "l4-24", "FR") in {row[:3] for row in rows(published, sql.format("scaleway"))}
    assert {row[1] for row in rows(published, sql.format("runpod"))} == {"h100-sxm-80", "a100-sxm-40", "mi300x-192"}
    # Priced per GPU, without the size of a machine.
    assert ("oci", "h100-sxm-80", None, 9.5) in rows(published, sql.format("oci"))
    # 175.5 euros a month.
    [first, *_] = rows(published, sql.format("hetzner_dedicated"))
    assert first[2] in ("DE", "FI") and 0.1 < float(str(first[3])) < 2


def test_the_better_source_speaks_where_two_give_one_price(published: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT source, usd_per_hour FROM marts.price_history WHERE instance_type = '{}' AND source LIKE 'scaleway%' ORDER BY ALL"
    assert rows(published, sql.format("L4-1-24G")) == [("scaleway", 0.87)]
    assert rows(published, sql.format("RENDER-S")) == [("scaleway_catalog", 1.45)]


def test_health_counts_the_broken_rules_of_each_source_of_one_table(published: duckdb.DuckDBPyConnection) -> None:
    found = dict(rows(published, "SELECT source, broken_rule_count FROM bi.data_health"))
    counts = {name: found[name] for name in OFFERED}
    # Some fixtures hold fewer rows than the source always has, others all that they need.
    assert set(counts.values()) > {0}, counts


def test_spot_machines_have_their_sellers_own_band_of_interruptions(published: duckdb.DuckDBPyConnection) -> None:
    bands = rows(published, "SELECT region, instance_type, interruption_band FROM marts.spot_interruption ORDER BY ALL")
    assert ("eu-central-1", "p5.48xlarge", "<5%") in bands and len(bands) == 4
    sql = "SELECT DISTINCT option, provider, interruptions_read_on FROM marts.cost_per_token WHERE interruptions_read_on IS NOT NULL"
    assert rows(published, sql) == [("spot", "aws", DAY)]
