"""GCP: a machine is the sum of its parts, and of which one is missing it is no machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.sources import gcp_billing
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES

ANSWER = json.loads((FIXTURES / "gcp_billing" / "answer.json").read_bytes())
PATH = "/v1/services/6F81-5844-456A/skus"


def of(skus: list[Any], **columns: Any) -> list[tuple[Any, ...]]:
    """Machine and amount of the offers with these columns."""
    found = gcp_billing.parse(json.dumps({"skus": skus}).encode())
    return found.filter(**columns).select("sku", "native_amount").rows()


def without(part: str) -> list[Any]:
    return [sku for sku in ANSWER["skus"] if not sku["description"].startswith(part)]


def test_a_machine_is_the_sum_of_its_parts() -> None:
    # 8 GPUs, 208 cores, 1,872 GiB, and 6,000 GiB of disks by the month.
    assert ("a3-highgpu-8g", "92.45600000") in of(ANSWER["skus"], purchase_option="on_demand")


def test_a_commitment_is_the_sum_of_its_parts_at_the_prices_of_its_term() -> None:
    # 8 x 7 + 208 x 0.021 + 1,872 x 0.0021 + 6,000 x 0.0511 / 730.
    twelve = of(ANSWER["skus"], purchase_option="commitment", commitment_months=12)
    assert twelve == [("a3-highgpu-8g", "64.71920000"), ("a4-highgpu-8g", "89.60000000")]
    # Of three years the disks have no price: the machine has none, and not that of a year's disks.
    assert of(ANSWER["skus"], purchase_option="commitment", commitment_months=36) == [
        ("a4-highgpu-8g", "56.32000000"),
        ("Nvidia H100 80GB GPU without its machine", "without SSD backed Local Storage in europe-west9"),
    ]


@pytest.mark.parametrize(
    "part", ["Commitment v1: Nvidia H100", "Commitment v1: A3 Cpu", "Commitment v1: A3 Ram", "Commitment v1: Local SSD"]
)
def test_without_a_part_at_the_price_of_the_term_there_is_no_commitment(part: str) -> None:
    assert "a3-highgpu-8g" not in [sku for sku, _ in of(without(part), purchase_option="commitment")]


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Commitment v1: Nvidia L4 GPU running in Paris", "Commit1Yr"),
        ("Commitment v1: Nvidia L4 GPU running in Paris for 1 Year", "Commit3Yr"),
        ("Commitment v1: Nvidia L4 GPU running in Paris for 5 Years", "Commit"),
        ("Commitment v1: Nvidia L4 GPU running in Paris for 1 Year", "OnDemand"),
        ("Nvidia L4 GPU running in Paris for 1 Year", "OnDemand"),
        ("Nvidia L4 GPU attached to DWS Defined Duration VMs running in Paris", "OnDemand"),
        ("Nvidia L4 GPU attached to Sole Tenancy VMs running in Paris", "OnDemand"),
        ("Reserved Nvidia H100 80GB Mega GPU in Paris in Calendar Mode", "OnDemand"),
        ("Nvidia L4 Virtual Workstation GPU running in Paris", "OnDemand"),
        ("A2 Custom Instance Core running in Paris", "OnDemand"),
    ],
)
def test_what_is_sold_in_another_way_is_no_part(description: str, kind: str) -> None:
    assert gcp_billing._part_of({"description": description, "category": {"usageType": kind}}) is None


@pytest.mark.parametrize("name", ["Nvidia H100 80GB Mega GPU", "Nvidia H100 80GB Plus GPU", "Nvidia H100 Mega 80GB GPU"])
def test_a_part_has_several_names(name: str) -> None:
    part = gcp_billing._part_of({"description": f"{name} running in Americas", "category": {"usageType": "OnDemand"}})
    assert part == ("Nvidia H100 80GB Mega GPU", "on_demand")


def test_a_share_of_a_whole_machine_is_its_price() -> None:
    assert of(ANSWER["skus"], sku="a4-highgpu-8g", purchase_option="spot") == [("a4-highgpu-8g", "40.00000000")]
    assert of(ANSWER["skus"], sku="a4-highgpu-8g", purchase_option="capacity_block") == [("a4-highgpu-8g", "72.00000000")]


def test_what_needs_a_reservation_cannot_be_had_on_demand() -> None:
    assert of(ANSWER["skus"], stock="on_request") == [("a4-highgpu-8g", "128.00000000")]
    # 8 x 3 + 224 x 0.01 + 2,952 x 0.001 + 12,000 x 0.0365 / 730, while there is room.
    assert of(ANSWER["skus"], sku="a3-ultragpu-8g") == [("a3-ultragpu-8g", "29.79200000")]


def test_a_part_of_a_machine_of_eight_is_sold_as_spot_only() -> None:
    spot = [
        *([sku for sku in ANSWER["skus"] if "SSD backed Local Storage attached" in sku["description"]]),
        *(
            json.loads(json.dumps(sku).replace(plain, named))
            for plain, named in (
                ("Nvidia H100 80GB GPU running", "Nvidia H100 80GB GPU attached to Spot Preemptible VMs running"),
                ("A3 Instance Core", "Spot Preemptible A3 Instance Core"),
                ("A3 Instance Ram", "Spot Preemptible A3 Instance Ram"),
            )
            for sku in ANSWER["skus"]
            if sku["description"].startswith(plain)
        ),
    ]
    found = of([*ANSWER["skus"], *spot])
    assert [sku for sku, _ in found if sku.startswith("a3-highgpu")].count("a3-highgpu-8g") == 3
    assert [sku for sku, _ in found if sku.startswith("a3-highgpu-1g")] == ["a3-highgpu-1g"]
    # 10 + 26 x 0.03 + 234 x 0.003 + 750 x 0.0365 / 730.
    assert ("a3-highgpu-1g", "11.51950000") in of([*ANSWER["skus"], *spot], purchase_option="spot")


def test_without_its_gpu_there_is_no_machine_and_without_another_part_no_price() -> None:
    assert "a3-highgpu-8g" not in [sku for sku, _ in of(without("Nvidia H100"), purchase_option="on_demand")]
    for part in ("SSD backed Local Storage", "A3 Instance Ram"):
        found = of(without(part), purchase_option="on_demand")
        assert "a3-highgpu-8g" not in [sku for sku, _ in found]
        assert ("Nvidia H100 80GB GPU without its machine", f"without {part} in europe-west9") in found


def test_spot_parts_that_are_filed_under_on_demand_are_spot() -> None:
    # One GPU, 4 cores, 16 GiB.
    assert ("g2-standard-4", "0.25600000") in of(ANSWER["skus"], purchase_option="spot")


def with_gpu_prices(*prices: tuple[str, int]) -> list[object]:
    """The parts of the fixture, the H100 at these prices from these times on."""
    skus = json.loads(json.dumps(ANSWER["skus"]))
    [gpu] = [sku for sku in skus if sku["description"].startswith("Nvidia H100 80GB GPU running")]
    [stated] = gpu["pricingInfo"]
    gpu["pricingInfo"] = [json.loads(json.dumps(stated)) | {"effectiveTime": starts} for starts, _ in prices]
    for entry, (_, units) in zip(gpu["pricingInfo"], prices, strict=True):
        entry["pricingExpression"]["tieredRates"][-1]["unitPrice"]["units"] = str(units)
    return skus


def test_an_announced_price_is_none_yet_and_the_last_in_force_stands() -> None:
    skus = with_gpu_prices(("2026-11-01T00:00:00Z", 10), ("2099-01-01T00:00:00Z", 20), ("2026-01-01T00:00:00Z", 30))
    found = gcp_billing.parse(json.dumps({"asked_at": "2026-11-20T08:00:00Z", "skus": skus}).encode())
    assert found.filter(sku="a3-highgpu-8g", purchase_option="on_demand")["native_amount"].to_list() == ["92.45600000"]


@pytest.mark.parametrize("starts", ["01/02/2099", "soon", "2026-13-01T00:00:00Z"])
def test_a_price_from_a_time_that_cannot_be_read_says_so(starts: str) -> None:
    skus = with_gpu_prices(("2026-01-01T00:00:00Z", 10), (starts, 5))
    found = gcp_billing.parse(json.dumps({"asked_at": "2026-11-20T08:00:00Z", "skus": skus}).encode())
    amounts = found.filter(sku="a3-highgpu-8g", purchase_option="on_demand")["native_amount"].to_list()
    assert amounts == [f"Nvidia H100 80GB GPU at no amount with effectiveTime {starts}"]


def test_a_part_at_two_amounts_is_decided_by_no_order() -> None:
    one, other = (with_gpu_prices(("2026-11-01T00:00:00Z", units)) for units in (10, 11))
    for skus in (one + other, other + one):
        found = gcp_billing.parse(json.dumps({"skus": skus}).encode())
        assert found.filter(sku="a3-highgpu-8g", purchase_option="on_demand")["native_amount"].to_list() == ["92.45600000", "100.45600000"]


NO_PRICE = (
    {"units": "10", "nanos": -500_000_000},
    {"units": "-1", "nanos": 500_000_000},
    {"units": "-10", "nanos": 0},
    {"units": "10", "nanos": 1_000_000_000},
    {"units": "10.5", "nanos": 0},
    {"units": "10", "nanos": 0.5},
    {"units": "ten", "nanos": 0},
    {"units": "10", "nanos": 0, "currencyCode": "EUR"},
)


@pytest.mark.parametrize("part", ["Nvidia H100 80GB GPU running", "A3 Instance Core running", "SSD backed Local Storage in"])
@pytest.mark.parametrize("stated", NO_PRICE, ids=json.dumps)
def test_a_machine_with_a_part_at_no_price_says_what_stands_there(part: str, stated: dict[str, object]) -> None:
    skus = json.loads(json.dumps(ANSWER["skus"]))
    for sku in skus:
        if sku["description"].startswith(part):
            sku["pricingInfo"][0]["pricingExpression"]["tieredRates"][-1]["unitPrice"] |= stated
    found = of(skus, sku="a3-highgpu-8g", purchase_option="on_demand")
    assert len(found) == 1 and f'"units": "{stated["units"]}"' in found[0][1]
    # The others have their prices.
    assert ("g2-standard-4", "0.25600000") in of(skus, purchase_option="spot")


def test_pages_are_put_together_and_the_key_is_shown_nowhere() -> None:
    first, second = ANSWER["skus"][:2], ANSWER["skus"][2:]
    answers = {
        PATH: [json.dumps({"skus": first, "nextPageToken": "more"}).encode(), json.dumps({"skus": second, "nextPageToken": ""}).encode()]
    }
    with loopback(answers) as server:
        [payload] = gcp_billing.fetch(fetch_context(server.url, credentials={"GCP_BILLING_API_KEY": "hush"}))
        assert len(server.asked) == 2 and "key=hush" in server.asked[0]
    assert "hush" not in payload.url and b"hush" not in payload.content
    # What no machine with GPUs is made of is not kept.
    assert b"N1 Predefined" not in payload.content and gcp_billing.parse(payload.content).height == 22


def test_the_documented_example_has_parts_that_are_known(shared: Path) -> None:
    skus = json.loads((shared / "examples" / "gcp_billing" / "skus_gpu.json").read_bytes())["skus"]
    parts = {gcp_billing._part_of(sku) for sku in skus}
    assert {("A4 Nvidia B200 (1 gpu slice)", "spot"), ("A4 Nvidia B200 (1 gpu slice)", "calendar"), ("Nvidia H100 80GB GPU", "1")} <= parts
    assert {("Nvidia H100 80GB GPU", "on_demand"), ("Nvidia H100 80GB GPU", "spot"), ("A3 Instance Core", "on_demand")} <= parts


def test_machines_are_made_of_what_google_says(shared: Path) -> None:
    shapes = (
        pl.read_parquet(shared / "data" / "gcp_machine_prices_2022_2026.parquet")
        .group_by("instance_type")
        .agg(pl.col("count", "vcpus", "memory_gib").last())
    )
    known = {name: (gpus, cores, memory) for name, gpus, cores, memory in shapes.rows()}
    ours = {m.name: (m.gpus, m.cores, m.memory_gib) for m in gcp_billing._MACHINES if m.host}
    assert {name: known[name] for name in ours if name in known} == {name: shape for name, shape in ours.items() if name in known}
    assert ours.keys() - known.keys() == {"a3-ultragpu-8g"}
