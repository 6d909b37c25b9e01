"""GCP: a machine is the sum of its parts, and of which one is missing it is no machine."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.sources import gcp_billing
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES

ANSWER = json.loads((FIXTURES / "gcp_billing" / "answer.json").read_bytes())
PATH = "/v1/services/6F81-5844-456A/skus"


def machines(skus: list[object]) -> dict[tuple[str, str], str]:
    found = gcp_billing.parse(json.dumps({"skus": skus}).encode())
    return {(row[0], row[1]): row[2] for row in found.select("sku", "purchase_option", "native_amount").rows()}


def test_a_machine_is_the_sum_of_its_parts() -> None:
    # 8 GPUs, 208 cores, 1,872 GiB, and 6,000 GiB of disks by the month.
    assert machines(ANSWER["skus"])["a3-highgpu-8g", "on_demand"] == "92.45600000"


def without(part: str) -> dict[tuple[str, str], str]:
    return machines([s for s in ANSWER["skus"] if not s["description"].startswith(part)])


def test_without_its_gpu_there_is_no_machine_and_without_another_part_no_price() -> None:
    assert ("a3-highgpu-8g", "on_demand") not in without("Nvidia H100")
    for part in ("SSD backed Local Storage", "A3 Instance Ram"):
        found = without(part)
        assert ("a3-highgpu-8g", "on_demand") not in found
        assert found["Nvidia H100 80GB GPU without its machine", "on_demand"] == f"without {part} in europe-west9"


def test_spot_parts_that_are_filed_under_on_demand_are_spot() -> None:
    # One GPU, 4 cores, 16 GiB.
    assert machines(ANSWER["skus"])["g2-standard-4", "spot"] == "0.25600000"


def with_gpu_prices(*prices: tuple[str, int]) -> list[object]:
    """The parts of the fixture, the H100 at these prices from these times on."""
    skus = json.loads(json.dumps(ANSWER["skus"]))
    [gpu] = [sku for sku in skus if sku["description"].startswith("Nvidia H100")]
    [stated] = gpu["pricingInfo"]
    gpu["pricingInfo"] = [json.loads(json.dumps(stated)) | {"effectiveTime": starts} for starts, _ in prices]
    for entry, (_, units) in zip(gpu["pricingInfo"], prices, strict=True):
        entry["pricingExpression"]["tieredRates"][-1]["unitPrice"]["units"] = str(units)
    return skus


def test_an_announced_price_is_none_yet_and_the_last_in_force_stands() -> None:
    skus = with_gpu_prices(("2026-11-01T00:00:00Z", 10), ("2099-01-01T00:00:00Z", 20), ("2026-01-01T00:00:00Z", 30))
    found = gcp_billing.parse(json.dumps({"asked_at": "2026-11-20T08:00:00Z", "skus": skus}).encode())
    assert found.filter(sku="a3-highgpu-8g")["native_amount"].to_list() == ["92.45600000"]


def test_a_part_at_two_amounts_is_decided_by_no_order() -> None:
    one, other = (with_gpu_prices(("2026-11-01T00:00:00Z", units)) for units in (10, 11))
    for skus in (one + other, other + one):
        found = gcp_billing.parse(json.dumps({"skus": skus}).encode())
        assert found.filter(sku="a3-highgpu-8g")["native_amount"].to_list() == ["92.45600000", "100.45600000"]


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
    assert b"N1 Predefined" not in payload.content and gcp_billing.parse(payload.content).height == 8


def test_the_documented_example_has_parts_that_are_known(shared: Path) -> None:
    skus = json.loads((shared / "examples" / "gcp_billing" / "skus_gpu.json").read_bytes())["skus"]
    parts = {gcp_billing._part_of(sku) for sku in skus}
    assert {("Nvidia H100 80GB GPU", "on_demand"), ("Nvidia H100 80GB GPU", "spot"), ("A3 Instance Core", "on_demand")} <= parts
