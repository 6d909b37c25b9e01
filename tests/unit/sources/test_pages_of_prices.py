"""Pages of prices for people: what stands beside a price that is not one, and what a page says of its own prices."""

from __future__ import annotations

import pytest

from pipelines.sources import digitalocean_page, hotaisle, sesterce
from pipelines.sources.lib.errors import ParseError
from tests.support.paths import FIXTURES


def page(name: str, *changes: tuple[str, str]) -> bytes:
    text = (FIXTURES / name / "answer.html").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def test_digitalocean_reads_the_tables_below_their_headings_only() -> None:
    found = digitalocean_page.parse(page("digitalocean_page"))
    assert found.filter(sku="NVIDIA H100 (8x)").get_column("native_amount").to_list() == ["28.00"]
    assert found.filter(sku="NVIDIA B300, air-cooled (8x)").get_column("purchase_option").to_list() == ["spot"]
    assert "Basic" not in found.get_column("sku")


@pytest.mark.parametrize("price", ["€3.50 per hour", "$3.50 per month", "$3.50", "Contact sales", ""])
def test_digitalocean_takes_no_other_money_or_unit(price: str) -> None:
    found = digitalocean_page.parse(page("digitalocean_page", ("$3.50 per hour", price)))
    # A figure in another form is put aside by name, a word in place of a price is no offer.
    named = [price] if "3.50" in price else []
    assert found.filter(sku="NVIDIA H100", purchase_option="on_demand").get_column("native_amount").to_list() == named


def test_sesterces_price_in_another_form_is_put_aside_by_name() -> None:
    found = sesterce.parse(page("sesterce", ('bbg-price">$2.50', 'bbg-price">1–2 $')))
    assert found.filter(sku="H200").select("currency", "native_amount").rows() == [(None, "1–2 $")]
    assert found.filter(sku="H100").get_column("currency").to_list() == ["USD"]


def test_digitalocean_takes_no_machine_of_eight_for_one() -> None:
    [count] = digitalocean_page.parse(page("digitalocean_page")).filter(sku="NVIDIA H200 (8x) new").get_column("gpu_count_stated")
    assert count is None


def test_sesterce_says_what_cannot_be_had_and_which_form_is_not_known() -> None:
    found = sesterce.parse(page("sesterce"))
    assert found.select("sku", "gpu_as_named", "stock").rows() == [
        ("B300", "B300 SXM6", "none"),
        ("H200", "H200 SXM5", "available"),
        ("H100", "H100", "available"),
        ("L40S", "L40S PCIe", None),
    ]


def test_sesterce_is_in_the_currency_of_its_prices() -> None:
    euros = sesterce.parse(page("sesterce", ("· USD ·", "· EUR ·"), ('bbg-price">$', 'bbg-price">€')))
    assert set(euros.get_column("currency")) == {"EUR"}
    with pytest.raises(ParseError, match="the table is in EUR, its prices in USD"):
        sesterce.parse(page("sesterce", ("· USD ·", "· EUR ·")))


@pytest.mark.parametrize("terms", ["· USD · RESERVED ·", "· ON-DEMAND ·", "·"])
def test_sesterce_without_currency_or_way_of_buying_is_no_list(terms: str) -> None:
    with pytest.raises(ParseError, match="no section pricing whose table says a currency and ON-DEMAND"):
        sesterce.parse(page("sesterce", ("· USD · ON-DEMAND ·", terms)))


@pytest.mark.parametrize(
    ("term", "option", "months"),
    [
        ("one-month minimum", "commitment", 1),
        ("Three-month minimum", "commitment", 3),
        ("6-month minimum", "commitment", 6),
        ("by contract", "reserved", None),
    ],
)
def test_hot_aisles_bare_metal_is_for_a_term(term: str, option: str, months: int | None) -> None:
    found = hotaisle.parse(page("hotaisle", ("one-month minimum", term))).filter(gpu_count_stated=8)
    assert found.select("purchase_option", "commitment_months").rows() == [(option, months)]


def test_hot_aisles_price_of_earlier_days_is_nobodys() -> None:
    assert "2.00" not in hotaisle.parse(page("hotaisle")).get_column("native_amount")
