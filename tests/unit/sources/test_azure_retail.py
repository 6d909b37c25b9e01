"""Items of Azure's price list as the service, or somebody's copy of it, spells them: which are prices of a plain machine now."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.sources import azure_retail
from tests.support.recorded import MODULES
from tests.support.tables import with_lineage

ITEM: dict[str, Any] = {
    "armRegionName": "francecentral",
    "armSkuName": "Standard_ND96isr_H100_v5",
    "skuId": "S1",
    "skuName": "ND96isr H100 v5",
    "meterId": "m1",
    "meterName": "ND96isr H100 v5",
    "productName": "Virtual Machines NDsrH100v5 Series",
    "type": "Consumption",
    "currencyCode": "USD",
    "unitOfMeasure": "1 Hour",
    "retailPrice": 98.32,
    "tierMinimumUnits": 0.0,
    "effectiveStartDate": "2026-06-01T00:00:00Z",
}


def options(**stated: Any) -> list[str]:
    """The purchase options under which an item is observed."""
    module = MODULES["azure_retail"]
    assert module.normalise is not None
    page = {"Items": [{**ITEM, **stated}], "NextPageLink": None}
    found = module.normalise(with_lineage(module.parse(json.dumps(page).encode())))
    return found.collect().get_column("purchase_option").to_list()


def test_a_region_whose_pages_go_in_a_circle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_retail, "_regions", lambda: ["francecentral"])
    asked: list[str] = []

    class Circle:
        def get(self, url: str, params: object = ()) -> SimpleNamespace:
            asked.append(url)
            content = json.dumps({"Items": [ITEM], "NextPageLink": "https://prices.example/api?page=2"}).encode()
            return SimpleNamespace(url=url, content=content, status=200, etag=None)

    problems: list[str] = []
    context = SimpleNamespace(base_url="https://prices.example", http=Circle(), problem=problems.append)
    assert list(azure_retail.fetch(context)) == []  # type: ignore[arg-type]
    [problem] = problems
    assert "came before" in problem and len(asked) == 2


@pytest.mark.parametrize(
    "name",
    [f"ND96isr H100 v5{windows}" for windows in (" Windows", " Win", "_Windows", " Win2022", "/Windows", " WINDOWS", " WinServer")]
    + [f"ND96isr H100 v5{retired}" for retired in (" Low Priority", " LowPriority", "_low_priority")],
)
def test_windows_and_what_is_retired_are_no_plain_machine(name: str) -> None:
    assert options(meterName=name) == options(skuName=name) == []


@pytest.mark.parametrize("name", ["Darwin ND96", "ND96 Twin", "Winter ND96 v5".lower()])
def test_a_word_that_has_windows_within_is_none(name: str) -> None:
    assert options(meterName=name) == ["on_demand"]


@pytest.mark.parametrize("name", ["ND96isr H100 v5 Spot", "ND96isr_H100_v5_Spot", "ND96isr H100 v5 SPOT", "Spot/ND96isr"])
def test_spot_is_named_in_any_spelling(name: str) -> None:
    assert options(meterName=name) == ["spot"]


@pytest.mark.parametrize("machine", [" standard_nd96isr_h100_v5 ", "STANDARD_ND96ISR_H100_V5", "Standard ND96isr H100 v5"])
def test_the_spelling_of_a_machine_loses_none(machine: str) -> None:
    assert options(armSkuName=machine) == ["on_demand"]


@pytest.mark.parametrize(
    ("stated", "is_price"),
    [
        ({"effectiveStartDate": "2026-06-01"}, True),
        ({"effectiveStartDate": "2026-06-01T00:00:00"}, True),
        ({"effectiveStartDate": "2026-06-01 00:00:00"}, True),
        ({"effectiveStartDate": "2026-06-01T00:00:00.0000000+02:00"}, True),
        ({"effectiveStartDate": "2027-06-01"}, False),
        ({"effectiveStartDate": "soon"}, False),
        ({"effectiveEndDate": None}, True),
        ({"effectiveEndDate": "2027-01-01"}, True),
        ({"effectiveEndDate": "2026-01-01"}, False),
        ({"effectiveEndDate": "2026-01-01T00:00:00"}, False),
        ({"effectiveEndDate": "until further notice"}, False),
    ],
)
def test_a_price_holds_between_its_dates_however_they_are_written(stated: dict[str, Any], is_price: bool) -> None:
    assert options(**stated) == (["on_demand"] if is_price else [])
