"""Answers in the shapes that services document, each with bad rows of the published quality cases among many good ones.

The figures are made up, and chosen so that only the rule in question can catch the bad row.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.ingest.scaffold import stored_answers
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.lib.source import Payload

DAY = dt.date(2026, 11, 23)
BEFORE = DAY - dt.timedelta(days=1)
_GOOD_COUNT = 40
_AZURE_REGIONS = ("eastus", "eastus2", "westus", "westus3", "northeurope", "uksouth", "japaneast", "centralindia", "koreacentral")


def store_answers(folder: Path) -> None:
    """The answers of two days, as two refreshes would have stored them."""
    store = SnapshotStore(folder)
    answers: dict[tuple[str, dt.date], Any] = {
        ("shadeform", BEFORE): _shadeform([_machine("a rise of 40%", "H100", 8, 3192)]),
        ("shadeform", DAY): _shadeform(_bad_machines()),
        ("azure_retail", DAY): _azure(),
        ("gcp_billing", DAY): _gcp(),
        ("inferencex", DAY): _inferencex(),
        ("litellm", DAY): _litellm(),
        ("deepinfra", DAY): _deepinfra(),
        # Everything that it sells one day, an empty list the next.
        ("verda", BEFORE): json.loads(stored_answers("verda")[0].read_bytes().partition(b"\n")[2]),
        ("verda", DAY): [],
    }
    for (source, day), answer in answers.items():
        at = dt.datetime.combine(day, dt.time(6))
        store.add(source, day, f"run-{day}", [Payload("answer.json", f"https://{source}.example/", json.dumps(answer).encode(), at)])


def _machine(name: str, gpu: str, count: int, cents: int, *, memory: int = 80, cloud: str = "hyperstack", **place: Any) -> dict[str, Any]:
    configuration = {"num_gpus": count, "gpu_type": gpu, "interconnect": "sxm5", "vram_per_gpu_in_gb": memory}
    available = {"region": "paris-france-2", "available": True, "rental_type": "on_demand", **place}
    names = {"cloud": cloud, "shade_instance_type": name, "cloud_instance_type": name}
    return {**names, "configuration": configuration, "hourly_price": cents, "availability": [available]}


def _shadeform(machines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    good = [_machine(f"good {number}", "H100", 1, 250 + number) for number in range(_GOOD_COUNT)]
    return {"instance_types": [*good, *machines]}


def _bad_machines() -> list[dict[str, Any]]:
    return [
        _machine("zero", "H100", 1, 0, cloud="aws"),
        _machine("one cent", "B200", 1, 1, memory=180, cloud="mithril"),
        _machine("four taken for one", "RTX 3090", 1, 80, memory=24),
        _machine("SXM of 94 GB", "H100", 1, 250, memory=94),
        _machine("told twice", "H100", 1, 250),
        _machine("told twice", "H100", 1, 260),
        _machine("in cents", "A100", 1, 210),
        _machine("imputed", "B300 (imputed, 1.2 x B200)", 1, 281, memory=288),
        _machine("a rise of 40%", "H100", 8, 4470),
    ]


def _meter(region: str, name: str, price: float, **more: Any) -> dict[str, Any]:
    item = {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": region,
        "effectiveStartDate": "2026-06-01T00:00:00Z",
        "meterId": f"meter {region} {name} {price}",
        "meterName": name,
        "skuId": f"sku {name}",
        "skuName": name,
        "productName": "Virtual Machines NDsrH100v5 Series",
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "Standard_ND96isr_H100_v5",
    }
    return {**item, **more}


def _azure() -> dict[str, Any]:
    good = [_meter(region, "ND96isr H100 v5", 100.25) for region in (*_AZURE_REGIONS, "francecentral")]
    spot = [_meter(region, "ND96isr H100 v5 Spot", 40.0) for region in _AZURE_REGIONS]
    bad = [
        _meter("francecentral", "ND96isr H100 v5 Spot", 101.5),
        _meter("francecentral", "ND96isr H100 v5", 101.75 * 8760, type="Reservation", reservationTerm="1 Year"),
        _meter("swedencentral", "ND96isr H100 v5", 77.7, productName="Virtual Machines NDsrH100v5 Series Windows"),
    ]
    return {"Items": [*good, *spot, *bad], "NextPageLink": None}


def _gcp() -> dict[str, Any]:
    known = json.loads(stored_answers("gcp_billing")[0].read_bytes())["skus"]
    parts = {"A3 Instance Core": 0.03, "A3 Instance Ram": 0.004, "Nvidia H100 80GB GPU": 10.0}
    whole = [_part(name, region, amount) for name, amount in parts.items() for region in ("us-central1", "us-east4", "europe-west4")]
    disks = [_part("SSD backed Local Storage", region, 0.08, "GiBy.mo") for region in ("us-central1", "us-east4", "europe-west4")]
    return {"skus": [*known, *whole, *disks, _part("Nvidia H100 80GB GPU", "asia-southeast1", 10.0)]}


def _part(name: str, region: str, amount: float, unit: str = "h") -> dict[str, Any]:
    price = {"currencyCode": "USD", "units": str(int(amount)), "nanos": round(amount % 1 * 1e9)}
    expression = {"usageUnit": unit, "tieredRates": [{"startUsageAmount": 0, "unitPrice": price}]}
    return {
        "description": f"{name} running in {region}",
        "category": {"resourceFamily": "Compute", "usageType": "OnDemand"},
        "serviceRegions": [region],
        "pricingInfo": [{"pricingExpression": expression, "effectiveTime": "2026-11-20T08:00:00Z"}],
    }


def _inferencex() -> list[dict[str, Any]]:
    return [*_runs("good"), *_runs("bad")]


def _runs(which: str) -> Iterator[dict[str, Any]]:
    shape = {"hardware": "h100", "framework": "vllm", "spec_method": "none", "disagg": False, "isl": 1024, "osl": 1024}
    times = {"median_ttft": 1.0, "median_tpot": 0.03}
    size = {"num_prefill_gpu": 8, "num_decode_gpu": 8, "decode_tp": 8, "decode_num_workers": 1}
    base = {**shape, **size, "date": "2026-11-20", "run_url": f"https://example.org/{which}"}
    run = {**base, "model": "dsr1", "precision": "fp4", "conc": 64}
    if which == "good":
        yield {**run, "metrics": {**times, "output_tput_per_gpu": 250.0}}
        return
    # Four times two GPUs, of which the row counts two.
    of_two = {"num_decode_gpu": 2, "decode_tp": 2, "decode_num_workers": 4}
    yield {**run, **of_two, "model": "llama70b", "precision": "fp8", "metrics": {**times, "output_tput_per_gpu": 1000.0}}
    # 9,000 tokens of input a second and GPU, where arithmetic allows 7,064.
    long = {"model": "llama70b", "precision": "bf16", "isl": 8192, "conc": 512}
    yield {**run, **long, "metrics": {**times, "output_tput_per_gpu": 1125.0}}


def _litellm() -> dict[str, Any]:
    def model(seller: str, given: float, written: float) -> dict[str, Any]:
        return {"input_cost_per_token": given, "output_cost_per_token": written, "litellm_provider": seller, "mode": "chat"}

    good = {f"novita/good-llama-{number}": model("novita", 2e-7, 8e-7) for number in range(_GOOD_COUNT)}
    return {**good, "groq/gpt-oss-120b-per-thousand": model("groq", 1.5e-7, 0.015)}


def _deepinfra() -> list[dict[str, Any]]:
    def model(name: str, given: float, written: float) -> dict[str, Any]:
        pricing = {"type": "tokens", "cents_per_input_token": given, "cents_per_output_token": written}
        return {"model_name": name, "type": "text-generation", "pricing": pricing, "deprecated": None, "quantization": "fp8"}

    good = [model(f"example/good-llama-{number}", 2e-5, 8e-5) for number in range(_GOOD_COUNT)]
    return [*good, model("openai/gpt-oss-120b", 5e-6, 0.0)]
