"""Where a service is otherwise than it was first described: what is asked, what is left out, what is not added up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pipelines.sources import eurostat_electricity, gpuhunt, outscale
from pipelines.sources.lib import declared
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES
from tests.support.recorded import MANIFESTS, MODULES, amounts


def answer(name: str) -> bytes:
    (path,) = (FIXTURES / name).glob("answer.*")
    return path.read_bytes()


def test_eurostat_is_asked_for_bands_and_never_for_their_total() -> None:
    """The total of all companies stops at the first half of 2024; the bands go on."""
    with loopback({"/eurostat/api/dissemination/statistics/1.0/data/nrg_pc_205": [answer("eurostat_electricity")]}) as server:
        list(eurostat_electricity.fetch(fetch_context(server.url)))
    assert "TOT_KWH" not in server.asked[0] and "nrg_cons=MWH" in server.asked[0]
    document = json.loads(answer("eurostat_electricity"))
    bands = document["dimension"]["nrg_cons"]["category"]["index"]
    renamed = {("TOT_KWH" if position == 0 else band): position for band, position in bands.items()}
    before = eurostat_electricity.parse(json.dumps(document).encode())
    document["dimension"]["nrg_cons"]["category"]["index"] = renamed
    after = eurostat_electricity.parse(json.dumps(document).encode())
    assert after.height < before.height and "TOT_KWH" not in set(after.get_column("consumer_class"))


def test_oracle_is_asked_once_with_a_currency() -> None:
    with loopback({"/pls/apex/cetools/api/v1/products/?currencyCode=USD": [answer("oci")]}) as server:
        list(declared.fetch(MANIFESTS["oci"], fetch_context(server.url)))
    assert server.asked == ["/pls/apex/cetools/api/v1/products/?currencyCode=USD"]


def part(number: str, name: str, category: str = "Compute - GPU") -> dict[str, Any]:
    prices = [{"currencyCode": "USD", "prices": [{"model": "PAY_AS_YOU_GO", "value": 7}]}]
    return {
        "partNumber": number,
        "displayName": name,
        "metricName": "GPU Per Hour",
        "serviceCategory": category,
        "currencyCodeLocalizations": prices,
    }


@pytest.mark.parametrize(
    ("stated", "device"),
    [
        (part("B98415", "Oracle Cloud Infrastructure - Compute - GPU - H100"), "H100 SXM 80GB"),
        (part("B111758", "OCI- Compute - GPU - MI355X"), "MI355X 288GB"),
        (part("B95909", "OCI - Compute - GPU -  A10"), "A10 24GB"),
        (part("B92740", "OCI - Compute - GPU - E4"), "A100 SXM 40GB"),
        # A part of its own: nobody says which device.
        (part("B109480", "OCI - Compute - GPU - H100T", "Compute - GPU - Other"), "B109480"),
        (part("B111824", "OCI - NVIDIA AI Enterprise - H100"), None),
        (part("B110965", "OCI - Compute - GPU - H100 - Cloud@Customer"), None),
    ],
)
def test_oracle_is_told_by_part_number_whatever_the_name(stated: dict[str, Any], device: str | None) -> None:
    known = part("B109485", "OCI - Compute - GPU - MI300X")
    found = MODULES["oci"].parse(json.dumps({"items": [known, stated]}).encode())
    others = [name for name in found.get_column("gpu_as_named") if name != "MI300X 192GB"]
    assert others == ([device] if device else [])


def test_outscale_bills_one_of_two_states_of_a_gpu() -> None:
    entries = {e["Type"]: Decimal(str(e["UnitPrice"])) for e in json.loads(answer("outscale"))["Catalog"]["Entries"] if e.get("UnitPrice")}
    gpu, core = entries["Gpu:attach:nvidia-h100"], entries["CustomCore:v6-p2"]
    (amount,) = amounts(outscale.parse(answer("outscale")), "sku").values()
    assert Decimal(amount) == gpu + 10 * core + 80 * entries["CustomRam"]


@pytest.mark.parametrize(
    ("name", "path"), [("ovhcloud", "locale.currencyCode"), ("ovhcloud_us", "locale.currencyCode"), ("upcloud", "prices.currency")]
)
def test_a_price_is_in_the_currency_that_its_answer_names(name: str, path: str) -> None:
    document = json.loads(answer(name))
    place, field = path.split(".")
    document[place][field] = "GBP"
    found = MODULES[name].parse(json.dumps(document).encode())
    assert set(found.get_column("currency")) == {"GBP"}


def test_runpod_is_asked_for_list_prices_without_stock() -> None:
    asked = MANIFESTS["runpod"].document["requests"][0]["graphql"]
    assert "lowestPrice" not in asked
    gpu = {"id": "AMD Instinct MI300X OAM", "memoryInGb": 192, "securePrice": None, "communityPrice": 2, "secureSpotPrice": 0}
    body = json.dumps({"data": {"gpuTypes": [{**gpu, "communitySpotPrice": "2"}]}}).encode()
    # Neither null nor 0 nor a copy of the price on demand is an offer.
    assert amounts(MODULES["runpod"].parse(body), "trust_tier", "purchase_option") == {("community", "on_demand"): "2"}


def test_old_catalogues_of_gpuhunt_are_not_taken_for_new() -> None:
    versions = {f"/v3/{cloud}/version": [b"20261101-1"] for cloud in gpuhunt._CLOUDS}
    problems: list[str] = []
    with loopback({**versions}) as server:
        assert list(gpuhunt.fetch(fetch_context(server.url, problems))) == []
    assert len(problems) == len(gpuhunt._CLOUDS) and all("days old" in problem for problem in problems)
