"""Cudo Compute's machine types: the smallest machine with one GPU, put together from the prices of its parts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.sources.lib.amounts import below_zero
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Cudo Compute machine types",
    homepage="https://www.cudocompute.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://rest.compute.cudo.org",
    table=OFFER_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="prices of the smallest machine with one GPU by data centre, put together from parts",
)
_WHAT = "machine types"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """All types of all data centres."""
    return one_answer(context, "machine-types.json", "/v1/vms/machine-types")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per type and data centre: a GPU, and the fewest processors and least memory that go with it. Raises ParseError."""
    types = [item for item in list_of(read_json(content, _WHAT), "machineTypes", _WHAT) if isinstance(item, dict)]
    with_gpu = [item for item in types if item.get("gpuModel")]
    if types and not with_gpu:
        raise ParseError(f"{_WHAT}: gpuModel is in none of {len(types)} types")
    rows = [_offer(item) for item in with_gpu]
    if rows and all(row["native_amount"] is None for row in rows):
        raise ParseError(f"{_WHAT}: none of {len(rows)} types has the prices of its parts")
    return offers(rows, provider="cudo", currency="USD")


def _offer(item: dict[str, Any]) -> dict[str, Any]:
    place = as_text(item.get("dataCenterId"))
    free = number_of(as_text(item.get("totalGpuFree")))
    return {
        "region": place,
        # A data centre is named after its country: no-luster-1.
        "country_stated": place.split("-")[0] if place else None,
        "sku": item.get("machineType"),
        "gpu_as_named": item.get("gpuModel"),
        "gpu_count_stated": 1,
        "purchase_option_as_named": "sum of parts of the smallest machine with one GPU",
        "purchase_option": "on_demand",
        "stock": None if free is None else ("available" if free > 0 else "none"),
        "native_amount": _amount(item),
    }


def _amount(item: dict[str, Any]) -> str | None:
    def part(path: str) -> Decimal | None:
        return number_of(as_text(field_of(item, path)))

    gpu, core, gib = part("gpuPriceHr.value"), part("vcpuPriceHr.value"), part("memoryGibPriceHr.value")
    # A GPU without a price is none: never its processors and memory alone.
    if not gpu or core is None or gib is None:
        return None
    limits = ("minVcpu", "minVcpuPerGpu", "minMemoryGib", "maxVcpuPerMemoryGib")
    # A limit that is not stated is none; one that is no number says that this machine is not understood.
    if any(field_of(item, name) is not None and part(name) is None for name in limits):
        return None
    least_cores, cores_of_gpu, least_memory, per_gib = map(part, limits)
    cores = max(least_cores or Decimal(1), cores_of_gpu or Decimal(1))
    memory = max(least_memory or Decimal(1), Decimal(math.ceil(cores / per_gib)) if per_gib else Decimal(1))
    wrong = below_zero([("gpuPriceHr", gpu), ("vcpuPriceHr", core), ("memoryGibPriceHr", gib)])
    return wrong or format(gpu + cores * core + memory * gib, "f")
