"""The SkyPilot catalog: from a list per cloud to on-demand and spot prices; what has no machine or no price is no observation."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.prices.normalization import with_device
from pipelines.quality.row_rules import check_rows
from pipelines.sources import skypilot_catalog
from pipelines.sources.lib.errors import OfflineError, ParseError
from pipelines.sources.lib.http import Breaker
from tests.support.fetching import fetch_context
from tests.support.loopback import Answer, loopback
from tests.support.paths import FIXTURES
from tests.support.tables import AT, curated, with_lineage

CSV = (FIXTURES / "skypilot_catalog" / "aws_vms.csv").read_bytes()
# No workflow renews a list of Azure.
CLOUDS = ("aws", "gcp", "lambda", "nebius", "oci", "runpod", "seeweb", "shadeform", "vast", "verda")
SHADEFORM, GCP, OCI, VAST = (
    (FIXTURES / "skypilot_catalog" / f"answer_{cloud}.json").read_bytes() for cloud in ("shadeform", "gcp", "oci", "vast")
)


def enveloped(csv: bytes = CSV, cloud: str = "aws") -> bytes:
    return skypilot_catalog.payload(cloud, csv, "https://catalog.example/vms.csv").content


def raw(content: bytes) -> pl.LazyFrame:
    return with_lineage(skypilot_catalog.parse(content))


COMMITTED_AT = "2026-11-21T03:14:15Z"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "/repos/skypilot-org/skypilot-catalog/commits"


def history(sha: object = COMMIT, at: object = COMMITTED_AT) -> bytes:
    return json.dumps([{"sha": sha, "commit": {"author": {"date": "2020-01-01T00:00:00Z"}, "committer": {"date": at}}}]).encode()


def newest_of(cloud: str) -> str:
    return f"{REPOSITORY}?path=catalogs/v8/{cloud}/vms.csv&per_page=1"


def test_of_each_cloud_the_newest_version_is_read_and_dated() -> None:
    problems: list[str] = []
    lists = {f"/skypilot-org/skypilot-catalog/{COMMIT}/catalogs/v8/{cloud}/vms.csv": [CSV] for cloud in CLOUDS}
    with loopback({newest_of(cloud): [history()] for cloud in CLOUDS} | lists) as server:
        payloads = list(skypilot_catalog.fetch(fetch_context(server.url, problems)))
    assert [p.name for p in payloads] == [f"{cloud}/vms.csv" for cloud in CLOUDS]
    assert [json.loads(p.content)["cloud"] for p in payloads] == list(CLOUDS)
    assert not problems
    fed = skypilot_catalog.normalise(raw(payloads[0].content)).collect()
    written = dt.datetime(2026, 11, 21, 3, 14, 15)
    assert set(fed.select("first_seen_at", "last_confirmed_at", "known_from").rows()) == {(written, written, AT)}
    assert set(fed["source_detail"]) == {"SkyPilot catalog, list of 2026-11-21"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"[]", "no version of the list"),
        (history(at="yesterday"), "is 'yesterday', expected a time"),
        (history(sha="../../other"), "is '../../other', expected the name of a commit"),
        (b"<html>", "not readable as JSON"),
        ((403, {}, b"rate limit exceeded"), "status 403"),
        ((429, {}, b"rate limit exceeded"), "status 429"),
    ],
)
def test_a_list_of_unknown_age_says_so_and_who_is_refused_asks_no_further(answer: Answer, says: str) -> None:
    problems: list[str] = []
    lists: dict[str, list[Answer]] = {f"/skypilot-org/skypilot-catalog/master/catalogs/v8/{cloud}/vms.csv": [CSV] for cloud in CLOUDS}
    with loopback({REPOSITORY: [answer], **lists}) as server:
        payloads = list(skypilot_catalog.fetch(fetch_context(server.url, problems)))
    assert len(problems) == 1 and says in problems[0] and "how old this list and those after it are is not known" in problems[0]
    assert {path for path in server.asked if path.startswith(REPOSITORY)} == {newest_of(CLOUDS[0])}
    assert [p.name for p in payloads] == [f"{cloud}/vms.csv" for cloud in CLOUDS]
    fed = skypilot_catalog.normalise(raw(payloads[0].content)).collect()
    assert set(fed["last_confirmed_at"]) == {AT}
    assert set(fed["source_detail"]) == {"SkyPilot catalog, age of the list not known"}


def test_a_list_that_was_stored_without_its_age_is_of_its_fetch_and_says_so() -> None:
    fed = skypilot_catalog.normalise(raw(enveloped())).collect()
    assert set(fed["last_confirmed_at"]) == {AT}
    assert set(fed["source_detail"]) == {"SkyPilot catalog, age of the list not known"}


def test_without_a_network_it_is_offline_not_failed() -> None:
    with pytest.raises(OfflineError):
        list(skypilot_catalog.fetch(fetch_context("https://catalog.example", [], breaker=Breaker(offline=True))))


def test_rows_keep_the_raw_contract() -> None:
    frame = catalogue().tables["skypilot_catalog"].conform(raw(enveloped())).collect()
    # A row given twice is one; a machine without accelerators is none.
    assert frame.height == 4
    assert frame.filter(pl.col("instance_type").is_null()).height == 1


def test_on_demand_is_of_a_region_and_spot_of_a_zone() -> None:
    fed = catalogue().feeds["observation"].conform(skypilot_catalog.normalise(raw(enveloped()))).collect()
    found = fed.select("purchase_option", "region", "zone", "native_amount", "gpu_as_named", "gpu_count_stated")
    assert found.sort("native_amount").rows() == [
        ("spot", "us-east-1", "us-east-1a", "17.25", "H100", 8.0),
        ("spot", "us-east-1", "us-east-1b", "18.5", "H100", 8.0),
        ("on_demand", "us-east-1", None, "41.5", "H100", 8.0),
    ]
    assert fed.get_column("known_from").unique().to_list() == [AT]


def test_a_price_without_its_accelerators_is_none_of_a_machine() -> None:
    read = raw(enveloped(cloud="gcp"))
    assert read.collect().height == 4
    assert skypilot_catalog.normalise(read).collect().is_empty()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"InstanceType,Price", "not readable as JSON"),
        (b'{"cloud": "aws"}', "expected a cloud and its list"),
        (enveloped(b"InstanceType,Price\np9.test,1\n"), "of aws: column AcceleratorName is missing; found InstanceType, Price"),
    ],
)
def test_another_shape_is_refused_by_name(content: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        skypilot_catalog.parse(content)


def test_a_count_that_is_none_is_unknown_and_takes_no_other_row_away() -> None:
    frame = skypilot_catalog.parse(enveloped(CSV.replace(b",8.0,192", b",eight,192", 1)))
    assert frame.height == 4
    assert frame.get_column("gpu_count_stated").null_count() == 1


LISTS = {
    "lambda": b"""InstanceType,AcceleratorName,AcceleratorCount,Price,Region,SpotPrice
gpu_1x_test,H100,1.0,3.5,us-east-1,
gpu_1x_test,H100,1.0,3.5,europe-central-1,
""",
    # Every data centre, and the on-demand price again as the spot price.
    "runpod": b"""InstanceType,AcceleratorName,AcceleratorCount,Price,Region,SpotPrice,AvailabilityZone
1x_TEST_SECURE,A100-80GB,1.0,1.5,FR,1.5,EU-FR-1
1x_TEST_SECURE,A100-80GB,1.0,1.5,US,1.5,US-KS-2
""",
    # JSON with doubled quotes; a spot price without one on demand.
    "verda": b"""InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Region,Price,SpotPrice
2B300.60V,B300,2.0,"{""Gpus"": [{""Name"": ""B300""}]}",FIN-03,,4.5
""",
}


@pytest.mark.parametrize(
    ("cloud", "rows"),
    [
        ("lambda", [("gpu_1x_test", "all", None, "on_demand", "3.5")]),
        ("runpod", [("1x_TEST_SECURE", "all", None, "on_demand", "1.5")]),
        ("verda", [("2B300.60V", "all", None, "spot", "4.5")]),
    ],
)
def test_a_list_of_every_type_in_every_region_says_nothing_of_places(cloud: str, rows: list[tuple[str | None, ...]]) -> None:
    fed = skypilot_catalog.normalise(raw(enveloped(LISTS[cloud], cloud))).collect()
    assert fed.select("instance_type", "region", "zone", "purchase_option", "native_amount").rows() == rows


def test_a_line_that_does_not_fit_is_put_aside_by_itself() -> None:
    lines = CSV.splitlines()
    whole = skypilot_catalog.parse(enveloped())
    for wrong in (lines[1] + b",further", lines[1].rpartition(b",")[0]):
        found = raw(enveloped(b"\n".join([lines[0], wrong, *lines[1:]])))
        checked = check_rows(catalogue().tables["skypilot_catalog"], found, may_quarantine=True)
        assert checked.good.height == whole.height and checked.quarantined.height == 1
        with pytest.raises(ParseError, match="fields, expected"):
            skypilot_catalog.parse(enveloped(b"\n".join([*lines, wrong])))


def test_a_list_of_a_reseller_names_who_runs_each_machine() -> None:
    checked = check_rows(catalogue().tables["skypilot_catalog"], raw(SHADEFORM), may_quarantine=True)
    fed = catalogue().feeds["observation"].conform(skypilot_catalog.normalise(checked.good.lazy())).collect()
    # The type that names nobody is put aside by its own name.
    assert checked.quarantined.get_column("row_json").str.contains('"nobody"').to_list() == [True]
    found = fed.select("provider", "seller", "region", "country_stated", "sku", "gpu_as_named", "gpu_count_stated", "native_amount")
    assert found.rows() == [
        ("scaleway", "shadeform", "paris-france-1", "FR", "H100x2", "H100", 2.0, "7.2"),
        ("scaleway", "shadeform", "warsaw-poland-1", "PL", "H100x2", "H100", 2.0, "7.2"),
        ("lambda", "shadeform", "chicago-usa-2", "US", "A100-sxm4-80GBx8", "A100-80GB", 8.0, "23.6"),
        ("verda", "shadeform", "helsinki-finland-2", "FI", "B200", "B200", 1.0, "4.1"),
        ("denvr", "shadeform", "atlantis-1", None, "A100-sxm4", "A100", 1.0, "1.3"),
    ]
    assert set(fed.get_column("purchase_option")) == {"on_demand"}


@pytest.mark.parametrize(
    ("instance_type", "name", "gpu"),
    [
        ("denvr_A100-sxm4", "A100", "a100-sxm-40"),
        ("lambdalabs_A100-sxm4-80GBx8", "A100-80GB", "a100-sxm-80"),
        ("massedcompute_A100-80GB", "A100-80GB", "a100-any-80"),
    ],
)
def test_a_plain_a100_of_the_catalog_is_the_smaller_one(instance_type: str, name: str, gpu: str) -> None:
    line = f"InstanceType,AcceleratorName,AcceleratorCount,Price,Region,SpotPrice\n{instance_type},{name},1.0,1.5,paris-france-1,\n"
    fed = skypilot_catalog.normalise(raw(enveloped(line.encode(), "shadeform")))
    found = with_device(fed, curated("reference_gpu"), curated("reference_gpu_alias_rule"), curated("reference_instance_gpu"))
    assert found.collect().get_column("gpu").to_list() == [gpu]


def fed(content: bytes) -> pl.DataFrame:
    checked = check_rows(catalogue().tables["skypilot_catalog"], raw(content), may_quarantine=True)
    assert checked.quarantined.is_empty()
    return catalogue().feeds["observation"].conform(skypilot_catalog.normalise(checked.good.lazy())).collect()


def devices(found: pl.DataFrame) -> dict[str, str | None]:
    rules, machines = curated("reference_gpu_alias_rule"), curated("reference_instance_gpu")
    named = with_device(found.lazy(), curated("reference_gpu"), rules, machines).collect()
    return dict(named.select("sku", "gpu").rows())


OFFERED = ["provider", "sku", "purchase_option", "region", "zone", "gpu_as_named", "gpu_count_stated", "native_amount"]


def test_oracle_s_machines_are_one_offer_each_without_a_place() -> None:
    found = fed(OCI)
    assert found.select(OFFERED).sort("sku", "purchase_option").rows() == [
        ("oci", "BM.GPU.H100.8", "on_demand", "all", None, "H100", 8.0, "72"),
        ("oci", "BM.GPU.MI355X.8", "on_demand", "all", None, "MI355X", 8.0, "64.8"),
        ("oci", "BM.GPU4.8", "on_demand", "all", None, "A100", 8.0, "20"),
        ("oci", "VM.GPU3.2", "on_demand", "all", None, "V100", 2.0, "5"),
        ("oci", "VM.GPU3.2", "spot", "all", None, "V100", 2.0, "2.5"),
    ]
    assert found.get_column("country_stated").null_count() == found.height
    assert devices(found) == {
        "BM.GPU.H100.8": "h100-sxm-80",
        "BM.GPU.MI355X.8": "mi355x-288",
        "BM.GPU4.8": "a100-sxm-40",
        "VM.GPU3.2": "v100-16",
    }


def test_gcp_s_machines_are_put_together_in_each_zone_where_both_parts_have_a_spot_price() -> None:
    found = fed(GCP)
    # No on-demand price, no machine with disks of its own, no zone that lacks a part, no accelerator alone.
    assert found.select(OFFERED).sort("sku").rows() == [
        ("gcp", "a2-highgpu-8g", "spot", "europe-west4", "europe-west4-a", "A100", 8.0, "11.87500000"),
        ("gcp", "g2-standard-24", "spot", "us-central1", "us-central1-a", "L4", 2.0, "0.68750000"),
    ]
    assert devices(found) == {"a2-highgpu-8g": "a100-sxm-40", "g2-standard-24": "l4-24"}


@pytest.mark.parametrize("amount", ["", "0", "-1", "ask us", "NaN"])
def test_gcp_s_machine_is_not_sold_for_the_price_of_one_part(amount: str) -> None:
    for part in ("2.5", "9.375"):
        content = GCP.replace(f",{part}\\n".encode(), f",{amount}\\n".encode())
        assert content != GCP
        assert "a2-highgpu-8g" not in set(fed(content).get_column("sku"))


def test_gcp_s_machine_that_names_its_accelerators_is_still_a_part() -> None:
    assert fed(GCP.replace(b"a2-highgpu-8g,96.0,680.0,,", b"a2-highgpu-8g,96.0,680.0,A100,8")).equals(fed(GCP))


def test_gcp_s_accelerators_at_two_prices_make_two_machines_for_the_rules_to_judge() -> None:
    content = GCP.replace(b"12.9,9.375", b"12.9,8.375", 1)
    amounts = fed(content).filter(pl.col("sku") == "a2-highgpu-8g").get_column("native_amount")
    assert sorted(amounts) == ["10.87500000", "11.87500000"]


def test_vast_s_medians_are_of_a_marketplace_and_of_no_place() -> None:
    found = fed(VAST)
    assert found.select(OFFERED).sort("sku").rows() == [
        ("vast", "1x-A100_SXM4-32-65536", "marketplace", "all", None, "A100 SXM4", 1.0, "0.75"),
        ("vast", "1x-H100_SXM-32-65536", "marketplace", "all", None, "H100 SXM", 1.0, "1.75"),
        ("vast", "2x-H100_NVL-32-65536", "marketplace", "all", None, "H100 NVL", 2.0, "4.25"),
        ("vast", "4x-RTX_PRO_6000_WS-32-65536", "marketplace", "all", None, "RTX PRO 6000 WS", 4.0, "4.5"),
    ]
    assert set(found.get_column("trust_tier")) == {"unverified"}
    assert set(found.get_column("purchase_option_as_named")) == {"median of the hosts' offers"}
    # Hosts call both memories of the A100 by one name: which one is priced is not known.
    assert devices(found) == {
        "1x-A100_SXM4-32-65536": None,
        "1x-H100_SXM-32-65536": "h100-sxm-80",
        "2x-H100_NVL-32-65536": "h100-nvl-94",
        "4x-RTX_PRO_6000_WS-32-65536": "rtx-pro-6000-workstation-96",
    }


def test_a_long_list_of_gcp_is_read_within_bounds() -> None:
    header, *lines = json.loads(GCP)["vms_csv"].splitlines()
    processors = [f"n2-standard-{i},8.0,32.0,,,,region-{i % 40},region-{i % 40}-a,0.4,0.1" for i in range(40_000)]
    found = raw(enveloped("\n".join([header, *processors, *lines]).encode(), "gcp")).collect()
    # Of machines without accelerators none is kept.
    assert found.height == skypilot_catalog.parse(GCP).height < 12
