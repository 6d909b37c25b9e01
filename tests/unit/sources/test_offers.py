"""What holds for offers of every source: terms in their spellings, and validity as the source states it."""

from __future__ import annotations

import datetime as dt
import json
from types import ModuleType

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.scaffold import stored_answers
from pipelines.quality.row_rules import check_rows
from pipelines.sources import aws_offers, coreweave, crusoe, latitude, outscale, together_page
from pipelines.sources.lib.offers import observations, offers
from tests.support.paths import FIXTURES
from tests.support.recorded import MODULES
from tests.support.tables import AT, with_lineage


@pytest.mark.parametrize(
    ("stated", "months", "days"),
    [
        ("1yr", 12, None),
        ("3 Years", 36, None),
        ("2-year", 24, None),
        ("P1Y", 12, None),
        ("P1Y6M", 18, None),
        ("P18M", 18, None),
        ("36 months", 36, None),
        ("6mo", 6, None),
        ("1 MONTH", 1, None),
        ("2 weeks", 0, 14),
        ("P90D", 3, 90),
        (7, 7, None),
        ("18", 18, None),
        ("1.5 years", 18, None),
        ("1,5 years", 18, None),
        ("1 year 6 months", 18, None),
        ("1,000 days", 33, 1000),
        ("12+ months", 12, None),
        # No one length, or no whole number of months.
        ("1-3 years", None, None),
        ("1 to 3 years", None, None),
        ("2 weeks \N{EN DASH} 1 year", None, None),
        ("12/24 months", None, None),
        ("1e3 months", None, None),
        ("1.3 years", None, None),
        ("0.5", None, None),
        (12.5, None, None),
        ("a while", None, None),
        (None, None, None),
    ],
)
def test_a_commitment_is_known_in_all_its_spellings(stated: object, months: int | None, days: int | None) -> None:
    found = offers([{"provider": "p", "sku": "s", "commitment_months": stated}])
    assert found.select("commitment_months", "commitment_days").row(0) == (months, days)


def stated(amount: str, starts_on: str | None = None, ends_on: str | None = None) -> dict[str, object]:
    return {"provider": "p", "sku": "s", "currency": "EUR", "native_amount": amount, "starts_on": starts_on, "ends_on": ends_on}


@pytest.mark.parametrize(
    ("rows", "in_force"),
    [
        ([stated("1", "2026-01-01"), stated("2", "2099-01-01T00:00:00Z")], ["1"]),
        ([stated("2", "2026-06-01"), stated("1", "2026-01-01")], ["2"]),
        ([stated("1", None, "2026-01-31"), stated("2", "2026-02-01", "2026-12-31")], ["2"]),
        ([stated("1"), stated("2", "2026-02-01")], ["2"]),
        ([stated("1", "2026-02-01"), stated("2", "2026-02-01")], ["1", "2"]),
        ([stated("1"), stated("2")], ["1", "2"]),
        ([stated("1", None, "2026-01-31")], []),
    ],
)
def test_what_is_announced_or_has_ended_is_no_price(rows: list[dict[str, object]], in_force: list[str]) -> None:
    raw = with_lineage(offers(rows), AT, "0" * 64).lazy()
    found = observations(raw, aws_offers.SOURCE).collect()
    assert sorted(found["native_amount"]) == in_force


@pytest.mark.parametrize("name", ["starts_on", "ends_on", "read_on"])
@pytest.mark.parametrize("text", ["end of 2025", "31.12.2025", "2025-13-01", "1767225600", "2025-12-31xyz"])
def test_an_offer_with_a_day_that_cannot_be_read_is_put_aside_with_the_text(name: str, text: str) -> None:
    rows = [stated("1"), stated("2.5") | {"sku": "t", name: text}, {"provider": "p", "sku": "u", "currency": "EUR", name: text}]
    contract = catalogue().tables["offer"]
    raw = with_lineage(offers(rows), AT, "0" * 64).select(pl.lit("a").alias("source"), pl.all()).lazy()
    checked = check_rows(contract, raw, may_quarantine=True)
    assert checked.good["native_amount"].to_list() == ["1"]
    assert checked.quarantined["rule"].to_list() == ["dates_can_be_read"] * 2
    assert [json.loads(row)["native_amount"] for row in checked.quarantined["row_json"]] == [
        f"2.5 with {name} {text}",
        f"no amount with {name} {text}",
    ]


def test_what_others_have_read_is_of_their_day_and_known_when_it_is_fetched() -> None:
    rows = [{**stated("1"), "read_on": "2026-11-20"}, {**stated("2"), "sku": "t"}]
    found = observations(with_lineage(offers(rows), AT, "0" * 64), aws_offers.SOURCE).sort("sku").collect()
    assert found.select("first_seen_at", "last_confirmed_at", "known_from").rows() == [
        (dt.datetime(2026, 11, 20), dt.datetime(2026, 11, 20), AT),
        (AT, AT, AT),
    ]


@pytest.mark.parametrize("name", ["gpuhunt", "us_ai_infra"])
def test_second_hand_lists_say_their_own_day(name: str) -> None:
    module = MODULES[name]
    [answer] = stored_answers(name)
    found = module.parse(answer.read_bytes())
    days = {"gpuhunt": [dt.date(2026, 1, 1)], "us_ai_infra": [dt.date(2026, 8, 21)]}[name]
    assert found["read_on"].unique().to_list() == days
    assert module.normalise is not None
    fed = module.normalise(with_lineage(found, AT, "0" * 64).with_columns(source=pl.lit(name))).collect()
    assert fed["last_confirmed_at"].dt.date().unique().to_list() == days


def test_an_announced_price_of_aws_is_none_yet() -> None:
    text = (FIXTURES / "aws_offers" / "answer.csv").read_text()
    [line] = [line for line in text.splitlines() if "p5.48xlarge" in line and '"OnDemand","$61' in line]
    later = line.replace('"2026-09-01"', '"2099-01-01"').replace("61.5000000000", "99.0000000000")
    raw = with_lineage(aws_offers.parse((text + later + "\n").encode()), AT, "0" * 64).lazy()
    found = observations(raw, aws_offers.SOURCE).filter(pl.col("sku") == "p5.48xlarge", pl.col("purchase_option") == "on_demand").collect()
    assert found["native_amount"].to_list() == ["61.5000000000"]
    assert found["first_seen_at"].item().date() == dt.date(AT.year, AT.month, AT.day)


def test_a_column_of_another_kind_keeps_its_place() -> None:
    page = (FIXTURES / "together_page" / "answer.html").read_text()
    page = (
        page.replace("<th><p>31-90 days</p></th>", "<th><p>Savings</p></th>")
        .replace("181+ days", "1+ year")
        .replace('<a href="/ask"><p>Contact us</p></a></td></tr>\n<tr>', "<p>$2.90</p></td></tr>\n<tr>", 1)
    )
    found = together_page.parse(page.encode())
    assert found.select("purchase_option_as_named", "commitment_months", "commitment_days", "native_amount").rows() == [
        ("on_demand", None, None, "3.80"),
        ("Reserved, 7-30 days", 0, 7, "3.60"),
        ("Reserved, 91-180 days", 3, 91, "3.10"),
        ("Reserved, 1+ year", 12, None, "2.90"),
    ]
    page = (FIXTURES / "crusoe" / "answer.html").read_text()
    third = page.replace("<p>$3.80/GPU-hr</p></div>", '<p>$3.80/GPU-hr</p></div><div class="pricing-rich"><p>$2.00/GPU-hr</p></div>')
    found = crusoe.parse(third.encode()).filter(pl.col("gpu_as_named").str.contains("H100"))
    assert found["native_amount"].to_list() == ["3 columns of prices, expected 2"]


@pytest.mark.parametrize(
    ("source", "name", "old", "new"),
    [
        (coreweave, "answer.html", "$66.40", "$77.40"),
        (latitude, "answer.html", '\\"hour\\":40', '\\"hour\\":41'),
        (outscale, "answer.json", '"Gpu:allocate:nvidia-h100", "UnitPrice": 2.75', '"Gpu:allocate:nvidia-h100", "UnitPrice": 3.75'),
    ],
)
def test_what_is_stated_at_two_amounts_is_decided_by_no_order(source: ModuleType, name: str, old: str, new: str) -> None:
    text = (FIXTURES / source.__name__.rpartition(".")[2] / name).read_text()
    assert old in text
    if name.endswith(".json"):
        both = json.loads(text)
        both["Catalog"]["Entries"] += json.loads(text.replace(old, new))["Catalog"]["Entries"]
        found = source.parse(json.dumps(both).encode())
    else:
        found = source.parse((text + text.replace(old, new)).encode())
    once = source.parse(text.encode())
    # Both are there, and the rule of the key puts both aside.
    assert found.height == once.height + 1


@pytest.mark.parametrize(
    ("named", "company"),
    [
        ("Voltage Park", "voltagepark"),
        ("voltage_park", "voltagepark"),
        ("voltage-park", "voltagepark"),
        ("prime_intellect", "primeintellect"),
        ("lambdalabs", "lambda"),
        ("lambda-labs", "lambda"),
        ("datacrunch", "verda"),
        ("DataCrunch.io", "verda"),
        ("OVHcloud", "ovh"),
        ("latitude.sh", "latitude"),
        ("thundercompute", "thunder"),
        ("massed_compute", "massedcompute"),
        ("云", "云"),
    ],
)
def test_one_company_has_one_name(named: str, company: str) -> None:
    [row] = offers([{"provider": named, "native_amount": "1"}]).select("provider", "seller").rows()
    assert row == (company, company)
    [row] = offers([{"provider": "verda", "seller": named}]).select("provider", "seller").rows()
    assert row == ("verda", company)
