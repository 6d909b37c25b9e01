"""Real moves pass the rules, and what stays without a device is counted."""

from __future__ import annotations

import datetime as dt
import importlib

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.quality.row_rules import check_rows
from tests.support.tables import PRICE_REFERENCES, curated

SOURCES = ["archive_aws_on_demand", "archive_gcp_monthly", "archive_cloud_2026"]


def feed(name: str) -> pl.LazyFrame:
    module = importlib.import_module(f"pipelines.sources.{name}")
    (payload,) = module.fetch(None)
    raw = module.parse(payload.content).lazy().with_columns(fetched_at=pl.lit(payload.fetched_at), snapshot_sha256=pl.lit("0" * 64))
    rows: pl.LazyFrame = module.normalise(raw)
    return rows.with_columns(
        source=pl.lit(name),
        semantics=pl.lit(module.SOURCE.semantics),
        precedence=pl.lit(module.SOURCE.precedence, dtype=pl.Int64),
        staleness_limit_days=pl.lit(35, dtype=pl.Int64),
    )


@pytest.fixture(scope="module")
def observed() -> pl.DataFrame:
    function = models()["price_observation"].function
    assert function is not None
    rates = pl.LazyFrame(schema={"currency": pl.String, "on_date": pl.Date, "usd_per_unit": pl.Decimal(18, 8)})
    found = function(
        all_observation=pl.concat(feed(name) for name in SOURCES),
        **{name: curated(name) for name in PRICE_REFERENCES},
        currency_rate=rates,
        as_of=dt.date(2026, 11, 23),
        reference_observations=pl.LazyFrame(schema=catalogue().tables["price_observation"].polars_schema()),
    ).collect()
    assert isinstance(found, pl.DataFrame)
    return found


def test_no_row_of_the_archive_is_lost_or_quarantined(observed: pl.DataFrame) -> None:
    assert observed.height == 82 + 434 + 173
    assert check_rows(catalogue().tables["price_observation"], observed.lazy(), may_quarantine=True).quarantined.is_empty()


@pytest.mark.parametrize(
    ("machine", "option", "region", "first", "usd_per_hour"),
    [
        ("p5.48xlarge", "on_demand", "us-east-1", dt.date(2025, 6, 23), 55.04),
        ("a3-highgpu-8g", "spot", "us-central1", dt.date(2025, 3, 27), 20.42),
        ("a3-highgpu-8g", "spot", "us-central1", dt.date(2026, 7, 30), 50.61),
        ("g4-standard-48", "spot", "us-central1", dt.date(2026, 7, 30), 1.80),
    ],
)
def test_real_moves_pass(observed: pl.DataFrame, machine: str, option: str, region: str, first: dt.date, usd_per_hour: float) -> None:
    found = observed.filter(
        pl.col("source") != "archive_cloud_2026",
        pl.col("first_seen_at").dt.date() == first,
        instance_type=machine,
        purchase_option=option,
        region=region,
    )
    assert float(found["usd_per_hour"].item()) == pytest.approx(usd_per_hour, abs=0.01)


def test_what_stays_without_a_device(observed: pl.DataFrame) -> None:
    unmapped = observed.filter(pl.col("gpu").is_null())
    counts = unmapped.group_by("source", "provider").agg(pl.col("sku").n_unique())
    names = {(source, provider): count for source, provider, count in counts.iter_rows()}
    assert names == {
        ("archive_aws_on_demand", "aws"): 9,
        ("archive_cloud_2026", "aws"): 7,
        ("archive_cloud_2026", "azure"): 29,
        ("archive_cloud_2026", "oci"): 6,
    }
    # Generations in part names of OCI are no devices, and a price that holds everywhere is in no country.
    assert observed.filter(pl.col("country").is_null())["region"].unique().to_list() == ["all"]
