"""The prices that ship: what each file holds, how it becomes observations, and which files are refused."""

from __future__ import annotations

import datetime as dt
import importlib
from collections import Counter
from types import ModuleType

import polars as pl
import pytest

from pipelines.catalogue.contracts import RAW_LINEAGE, catalogue
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import Payload

FEEDING = [
    "archive_aws_on_demand",
    "archive_gcp_monthly",
    "archive_neoclouds_2026",
    "archive_market_2026",
    "archive_cloud_2026",
    "archive_aggregators_2026",
]
ROWS = {
    "archive_aws_on_demand": 82,
    "archive_gcp_monthly": 434,
    "archive_neoclouds_2026": 143,
    "archive_market_2026": 414,
    "archive_cloud_2026": 173,
    "archive_aggregators_2026": 25,
    "archive_aws_spot_monthly": 733,
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"pipelines.sources.{name}")


def payload(name: str) -> Payload:
    (only,) = module(name).fetch(None)
    assert isinstance(only, Payload)
    return only


def raw(name: str) -> pl.DataFrame:
    found = module(name).parse(payload(name).content)
    assert isinstance(found, pl.DataFrame)
    return found


def observed(name: str) -> pl.DataFrame:
    lineage = raw(name).with_columns(fetched_at=pl.lit(dt.datetime(2026, 7, 30)), snapshot_sha256=pl.lit("0" * 64))
    found = module(name).normalise(lineage.lazy()).collect()
    assert isinstance(found, pl.DataFrame)
    return found


@pytest.mark.parametrize(("name", "rows"), ROWS.items())
def test_rows_and_columns_are_those_of_the_contract(name: str, rows: int) -> None:
    frame = raw(name)
    assert frame.height == rows
    assert [*frame.columns, *RAW_LINEAGE] == list(catalogue().tables[name].column_names)
    assert frame.select(catalogue().tables[name].grain).is_duplicated().sum() == 0


@pytest.mark.parametrize("name", FEEDING)
def test_observations_have_the_columns_of_the_feed_and_lose_no_row(name: str) -> None:
    frame = observed(name)
    assert frame.height == ROWS[name]
    assert frame.columns == catalogue().feeds["observation"].column_names
    assert set(frame["currency"]) <= {"USD", "EUR"} and set(frame["operating_system"]) == {"linux"}
    assert frame.filter(pl.col("known_from") != pl.col("first_seen_at")).is_empty()
    assert frame.filter(pl.col("last_confirmed_at") < pl.col("first_seen_at")).is_empty()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("archive_aws_on_demand", dt.datetime(2026, 7, 21)),
        ("archive_gcp_monthly", dt.datetime(2026, 7, 30)),
        ("archive_cloud_2026", dt.datetime(2026, 10, 1)),
        ("archive_aws_spot_monthly", dt.datetime(2024, 4, 30)),
        ("archive_neoclouds_2026", dt.datetime(2026, 10, 7)),
        ("archive_market_2026", dt.datetime(2026, 11, 16)),
        ("archive_aggregators_2026", dt.datetime(2026, 11, 16)),
    ],
)
def test_a_file_is_dated_with_its_newest_confirmation(name: str, day: dt.datetime) -> None:
    assert payload(name).fetched_at == day
    assert payload(name).url.startswith("package:pipelines/archive/")


def test_period_means_have_no_way_into_prices() -> None:
    assert module("archive_aws_spot_monthly").SOURCE.semantics == "period_mean"
    assert not hasattr(module("archive_aws_spot_monthly"), "normalise")
    assert catalogue().tables["archive_aws_spot_monthly"].feeds is None


def test_live_sources_win_over_all_of_the_archive() -> None:
    precedence = [module(name).SOURCE.precedence for name in FEEDING]
    assert precedence == sorted(precedence) and min(precedence) > 100


@pytest.mark.parametrize(
    ("name", "option", "days"),
    [
        ("archive_aws_on_demand", "on_demand", 45),
        ("archive_gcp_monthly", "on_demand", 35),
        ("archive_gcp_monthly", "spot", 35),
        ("archive_gcp_monthly", "commitment", 35),
        ("archive_cloud_2026", "on_demand", 45),
        ("archive_cloud_2026", "spot", 7),
    ],
)
def test_how_long_a_figure_is_carried(name: str, option: str, days: int) -> None:
    assert module(name).SOURCE.staleness_limit_days(option) == days


def test_the_cut_of_june_2025_in_the_raw_rows() -> None:
    p5 = raw("archive_aws_on_demand").filter(pl.col("instance_type") == "p5.48xlarge").sort("first_seen_on")
    assert p5.select("first_seen_on", "last_confirmed_on", "usd_per_hour").rows() == [
        (dt.date(2023, 8, 9), dt.date(2025, 4, 29), "98.32"),
        (dt.date(2025, 6, 23), dt.date(2026, 7, 21), "55.04"),
    ]


def test_a_commitment_has_months_and_nothing_else_has() -> None:
    months = raw("archive_gcp_monthly").group_by("purchase_option").agg(pl.col("commitment_months").unique().sort())
    assert dict(months.iter_rows()) == {"commitment": [12, 36], "on_demand": [None], "spot": [None]}


def test_names_of_devices_are_no_machine_types_and_names_stay_untouched() -> None:
    frame = observed("archive_cloud_2026")
    devices = frame.filter(pl.col("provider").is_in(["oci", "crusoe"]))
    assert devices.height == 27
    assert devices["instance_type"].null_count() == 27 and devices["gpu_as_named"].null_count() == 0
    assert set(devices["price_unit"]) == {"gpu_hour"} and set(devices["region"]) == {"all"}
    # One name of the archive ends with blanks: the name of what is sold keeps them, the machine type does not.
    blank = frame.filter(pl.col("sku").str.ends_with(" "))
    assert set(blank.select("sku", "instance_type").iter_rows()) == {("Standard_NM16ads_MA35D  ", "Standard_NM16ads_MA35D")}


def test_sellers_and_devices_that_a_buyer_compares_are_there() -> None:
    sellers = set(pl.concat([observed(name).select("seller") for name in FEEDING])["seller"])
    assert len(sellers) >= 34
    assert {"scaleway", "ovh", "hetzner", "nebius", "verda", "hyperstack", "genesiscloud", "koyeb"} <= sellers


def test_every_price_names_its_page() -> None:
    for name in ("archive_neoclouds_2026", "archive_market_2026", "archive_aggregators_2026"):
        assert observed(name)["source_url"].str.starts_with("https://").all()


def test_pages_about_sellers_are_apart_and_marked() -> None:
    assert set(raw("archive_market_2026")["page_kind"]) == {"seller", "transcript"}
    assert set(raw("archive_aggregators_2026")["page_kind"]) == {"aggregator"}
    assert observed("archive_aggregators_2026")["source_detail"].str.starts_with("third-party page: ").all()
    assert module("archive_aggregators_2026").SOURCE.precedence == max(module(name).SOURCE.precedence for name in FEEDING)


def test_a_price_per_gpu_without_a_machine_has_no_size() -> None:
    neoclouds = observed("archive_neoclouds_2026")
    per_gpu = neoclouds.filter((pl.col("price_unit") == "gpu_hour") & pl.col("gpu_count_stated").is_null())
    assert set(per_gpu["provider"]) == {"nebius", "together", "hyperstack", "voltagepark", "runpod", "oci"}
    assert per_gpu["instance_type"].null_count() == per_gpu.height


def test_what_is_not_an_on_demand_price_is_called_otherwise() -> None:
    options = dict(observed("archive_market_2026").group_by("purchase_option").agg(pl.col("provider").unique().sort()).iter_rows())
    assert options["marketplace"] == ["akash", "vast"]
    assert options["serverless"] == ["cerebrium", "fal", "koyeb", "modal", "replicate", "runware"]
    assert options["reserved"] == ["hyperstack", "runware", "together"]
    assert options["commitment"] == ["qubrid"]


def test_readings_are_single_days() -> None:
    frame = observed("archive_cloud_2026")
    assert frame.filter(pl.col("first_seen_at") != pl.col("last_confirmed_at")).is_empty()
    assert Counter(frame["price_unit"]) == {"instance_hour": 146, "gpu_hour": 27}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b"provider,region", b"region,provider", "header is"),
        (b",2022-09-20,", b",20.9.2022,", "column first_seen_on"),
        (b",58,", b",many,", "column readings"),
        (b",on_demand,", b",", "fields, expected 10"),
        (b"g2.2xlarge", b"g2.2xlarge\xff", "UTF-8"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(before: bytes, after: bytes, said: str) -> None:
    content = payload("archive_aws_on_demand").content
    assert before in content
    with pytest.raises(ParseError, match="aws_gpu_on_demand_us_east_1") as refused:
        module("archive_aws_on_demand").parse(content.replace(before, after, 1))
    assert said in str(refused.value)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ParseError, match="header is missing"):
        module("archive_aws_on_demand").parse(b"")


def test_no_list_price_of_gcp_steps_in_all_regions_at_once() -> None:
    """Such a step is one of the tool that the list came from: it left the disks of a2-ultragpu out until 2024-05-30."""
    listed = raw("archive_gcp_monthly").filter(pl.col("purchase_option") != "spot").sort("first_seen_on")
    series = ["region", "instance_type", "purchase_option", "commitment_months"]
    steps = listed.with_columns(before=pl.col("usd_per_hour").shift(1).over(series)).filter(
        pl.col("before").is_not_null() & (pl.col("usd_per_hour") != pl.col("before"))
    )
    regions = steps.group_by("instance_type", "purchase_option", "commitment_months", "first_seen_on").agg(pl.col("region").n_unique())
    assert regions["region"].max() == 1
    ultra = listed.filter(instance_type="a2-ultragpu-8g", purchase_option="on_demand")
    assert dict(ultra.select("region", "usd_per_hour").unique().sort("region").iter_rows()) == {
        "asia-southeast1": "49.981484",
        "europe-west4": "44.647348",
        "us-central1": "40.550383",
    }
    spot = raw("archive_gcp_monthly").filter(instance_type="a2-ultragpu-8g", purchase_option="spot", region="us-central1")
    assert spot.filter(pl.col("first_seen_on") == dt.date(2023, 9, 28))["usd_per_hour"].item() == "16.318377"
