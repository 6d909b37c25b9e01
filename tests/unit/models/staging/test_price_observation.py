"""From a feed of observations to devices, places and US dollars."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.quality.row_rules import check_rows
from tests.support.tables import PRICE_REFERENCES, curated

AS_OF = dt.date(2026, 6, 30)
DAY = dt.datetime(2026, 6, 1)
LAST_HELD = DAY + dt.timedelta(days=45)
MONEY = pl.Decimal(18, 8)
FRAMEWORK = {"source": pl.String, "semantics": pl.String, "precedence": pl.Int64, "staleness_limit_days": pl.Int64}
KINDS = {"gpu_count_stated": pl.Float64, "gpu_memory_gib_stated": pl.Float64, "commitment_months": pl.Int64, "commitment_days": pl.Int64}
ROW: dict[str, Any] = {
    "provider": "aws",
    "seller": "aws",
    "region": "eu-west-3",
    "sku": "p5.48xlarge",
    "instance_type": "p5.48xlarge",
    "purchase_option": "on_demand",
    "purchase_option_as_named": "OnDemand",
    "operating_system": "linux",
    "tenancy": "shared",
    "trust_tier": "datacenter",
    "currency": "USD",
    "native_amount": "98.32",
    "price_unit": "instance_hour",
    "first_seen_at": DAY,
    "last_confirmed_at": DAY,
    "known_from": DAY,
    "source_detail": "a list",
    "licence": "Apache-2.0",
    "snapshot_sha256": "0" * 64,
    "source": "a_source",
    "semantics": "reading",
    "precedence": 100,
    "staleness_limit_days": 45,
}
DEVICE: dict[str, Any] = {
    "provider": "nobody",
    "sku": "a device",
    "instance_type": None,
    "gpu_as_named": "H100 SXM",
    "price_unit": "gpu_hour",
}


def feed(*rows: dict[str, Any]) -> pl.LazyFrame:
    names = [*catalogue().feeds["observation"].column_names, *FRAMEWORK]
    times = {name: pl.Datetime("us") for name in names if name in ("first_seen_at", "last_confirmed_at", "known_from")}
    schema = {name: {**KINDS, **FRAMEWORK, **times}.get(name, pl.String) for name in names}
    return pl.LazyFrame([{**dict.fromkeys(names), **ROW, **row} for row in rows], schema=schema)


def corrections(*rows: dict[str, Any]) -> pl.LazyFrame:
    schema = catalogue().tables["reference_price_correction"].polars_schema()
    base = {"source": "a_source", "provider": ROW["provider"], "sku": ROW["sku"], "holds_from_on": dt.date(2020, 1, 1)}
    return pl.LazyFrame([{**dict.fromkeys(schema), **base, **row} for row in rows], schema=schema)


def observe(
    *rows: dict[str, Any],
    rates: list[tuple[str, dt.date, str]] | None = None,
    as_of: dt.date = AS_OF,
    corrected: pl.LazyFrame | None = None,
) -> pl.DataFrame:
    function = models()["price_observation"].function
    assert function is not None
    rate = pl.LazyFrame(
        rates or [], schema={"currency": pl.String, "on_date": pl.Date, "usd_per_unit": pl.String}, orient="row"
    ).with_columns(pl.col("usd_per_unit").cast(MONEY))
    return function(
        all_observation=feed(*rows),
        **{name: curated(name) for name in PRICE_REFERENCES} | ({} if corrected is None else {"reference_price_correction": corrected}),
        currency_rate=rate,
        as_of=as_of,
        reference_observations=pl.LazyFrame(schema=catalogue().tables["price_observation"].polars_schema()),
    ).collect()


def usd(frame: pl.DataFrame) -> tuple[Decimal | None, Decimal | None]:
    found: tuple[Decimal | None, Decimal | None] = frame.select("usd_per_hour", "usd_per_gpu_hour").row(0)
    return found


def broken_rules(frame: pl.DataFrame) -> list[str]:
    return check_rows(catalogue().tables["price_observation"], frame.lazy(), may_quarantine=True).quarantined["rule"].to_list()


def warnings(frame: pl.DataFrame) -> dict[str, int]:
    checked = check_rows(catalogue().tables["price_observation"], frame.lazy(), may_quarantine=True)
    return {result.rule: result.failing_count for result in checked.results}


def test_columns_are_those_of_the_contract() -> None:
    assert observe({}).columns == catalogue().tables["price_observation"].column_names


def test_a_machine_has_its_device_place_and_price() -> None:
    found = observe({}).select("gpu", "form_factor", "gpu_count", "country").row(0)
    assert found == ("h100-sxm-80", "sxm", 8.0, "FR")
    assert usd(observe({})) == (Decimal("98.32"), Decimal("12.29"))


def test_the_table_of_machine_types_wins_over_what_the_source_says() -> None:
    found = observe({"gpu_as_named": "A100 40GB", "gpu_count_stated": 4.0, "gpu_memory_gib_stated": 24.0})
    assert found.select("gpu", "gpu_count", "is_gpu_conflict").row(0) == ("h100-sxm-80", 8.0, False)


def test_a_total_of_a_term_is_spread_over_its_months() -> None:
    term = DEVICE | {"price_unit": "gpu_term", "purchase_option": "commitment", "native_amount": "336", "gpu_count_stated": 1.0}
    assert usd(observe(term | {"commitment_months": 1})) == (Decimal("0.46027397"), Decimal("0.46027397"))
    # A length that nobody states makes no price, and no division by zero.
    assert usd(observe(term | {"commitment_months": 0})) == (None, None)
    year = {"price_unit": "instance_term", "purchase_option": "commitment", "commitment_months": 12, "native_amount": "482150.4"}
    assert usd(observe(year)) == (Decimal("55.04"), Decimal("6.88"))


def test_a_week_is_a_commitment_like_any_other() -> None:
    week = {"purchase_option": "commitment", "commitment_months": 0, "commitment_days": 7}
    assert broken_rules(observe(week)) == []
    assert usd(observe(week | {"price_unit": "instance_week", "native_amount": "1680"})) == (Decimal(10), Decimal("1.25"))
    assert broken_rules(observe({"purchase_option": "commitment"})) == ["commitment_has_months"]


def test_a_price_per_device_needs_a_count_to_become_one_per_machine() -> None:
    assert usd(observe(DEVICE | {"native_amount": "2.5", "gpu_count_stated": 8.0})) == (Decimal(20), Decimal("2.5"))
    for unknown in (0.0, None):
        found = observe(DEVICE | {"native_amount": "2.5", "gpu_count_stated": unknown})
        assert found["gpu_count"].to_list() == [None] and usd(found) == (None, Decimal("2.5"))
        assert broken_rules(found) == []


def test_a_machine_without_a_count_has_no_price_per_device() -> None:
    assert usd(observe(DEVICE | {"price_unit": "instance_hour"})) == (Decimal("98.32"), None)


def test_a_slice_costs_less_than_the_device() -> None:
    assert usd(observe(DEVICE | {"price_unit": "instance_hour", "native_amount": "0.5", "gpu_count_stated": 0.125})) == (
        Decimal("0.5"),
        Decimal(4),
    )


def test_what_is_not_known_is_null_and_kept() -> None:
    found = observe({"provider": "nobody", "region": "nowhere", "instance_type": "a machine nobody knows"})
    assert found.select("gpu", "form_factor", "gpu_count", "country", "usd_per_gpu_hour").row(0) == (None,) * 5
    assert broken_rules(found) == []


def test_memory_of_zero_is_unknown_and_no_conflict() -> None:
    found = observe(DEVICE | {"gpu_memory_gib_stated": 0.0, "native_amount": "2"})
    assert found.select("gpu", "is_gpu_conflict").row(0) == ("h100-sxm-80", False)


def test_name_and_memory_of_different_devices_go_to_quarantine() -> None:
    found = observe(DEVICE | {"gpu_memory_gib_stated": 24.0, "native_amount": "2"})
    assert found["gpu"].to_list() == [None]
    assert broken_rules(found) == ["memory_fits_the_device"]


@pytest.mark.parametrize(
    ("amount", "rule"),
    [
        ("NaN", "native_amount_not_null"),
        ("inf", "native_amount_not_null"),
        ("call us", "native_amount_not_null"),
        ("99999999999", "native_amount_not_null"),
        ("0", "native_amount_above"),
        ("-1", "native_amount_above"),
        ("9999999999", "gpu_hour_in_range"),
        ("0.00001", "gpu_hour_in_range"),
        ("61", "gpu_hour_in_range"),
    ],
)
def test_a_bad_amount_goes_to_quarantine_and_takes_no_other_row_with_it(amount: str, rule: str) -> None:
    bad = DEVICE | {"native_amount": amount, "gpu_count_stated": 8.0, "sku": "another device"}
    found = observe(bad, DEVICE | {"native_amount": "2"}, {})
    assert found.height == 3
    assert broken_rules(found) == [rule]


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -8.0])
def test_a_bad_count_goes_to_quarantine_and_takes_no_other_row_with_it(count: float) -> None:
    found = observe(DEVICE | {"gpu_count_stated": count, "native_amount": "2"}, {})
    assert found.height == 2 and len(broken_rules(found)) == 1


def test_another_currency_takes_the_last_rate_of_seven_days() -> None:
    euro = {"currency": "EUR", "native_amount": "80"}
    friday = dt.date(2026, 5, 29)
    assert usd(observe(euro, rates=[("EUR", friday, "1.1"), ("GBP", friday, "9")])) == (Decimal(88), Decimal(11))
    assert usd(observe(euro, rates=[("EUR", dt.date(2026, 5, 25), "1.2")])) == (Decimal(96), Decimal(12))
    for rates in ([("EUR", dt.date(2026, 5, 24), "1.1")], [("EUR", dt.date(2026, 6, 2), "1.1")], []):
        found = observe(euro, rates=rates)
        assert usd(found) == (None, None) and broken_rules(found) == ["priced_in_usd"]


def test_a_row_known_later_is_not_here_yet_and_confirmations_are_cut() -> None:
    end = dt.datetime(2026, 6, 2)
    later = {"first_seen_at": end, "last_confirmed_at": end, "known_from": end}
    found = observe({"last_confirmed_at": dt.datetime(2026, 6, 20)}, later, as_of=dt.date(2026, 6, 1))
    assert found.height == 1
    assert found["last_confirmed_at"].item() == end - dt.timedelta(microseconds=1)


# No band is known of this device: the sellers of it, and the own past, are all that a price can be held against.
UNBANDED = DEVICE | {"gpu_as_named": "MI300X", "seller": "the seller"}


def before(days: int) -> dict[str, Any]:
    at = DAY - dt.timedelta(days=days)
    return {"first_seen_at": at, "last_confirmed_at": at, "known_from": at}


def peers(count: int, usd_per_gpu_hour: str = "2", days: int = 10) -> list[dict[str, Any]]:
    """One series each of so many other sellers."""
    return [
        UNBANDED | before(days) | {"native_amount": usd_per_gpu_hour, "sku": f"peer {i}", "seller": f"seller {i}"} for i in range(count)
    ]


def device(found: pl.DataFrame) -> pl.DataFrame:
    return found.filter((pl.col("sku") == "a device") & (pl.col("first_seen_at") == DAY))


@pytest.mark.parametrize(
    ("amount", "ratio", "broken"), [("0.39", 0.195, True), ("0.4", 0.2, False), ("10", 5.0, False), ("10.1", 5.05, True)]
)
def test_far_from_the_median_of_five_sellers(amount: str, ratio: float, broken: bool) -> None:
    found = observe(UNBANDED | {"native_amount": amount}, *peers(5))
    assert device(found).select("price_to_median_ratio", "median_seller_count").row(0) == (pytest.approx(ratio), 5)
    assert broken_rules(found) == (["far_from_median"] if broken else [])


def test_each_seller_has_one_vote_however_many_series_it_has() -> None:
    crowd = [UNBANDED | before(10) | {"native_amount": "20", "sku": f"region {i}", "seller": "a crowd"} for i in range(60)]
    found = observe(UNBANDED | {"native_amount": "2.5"}, *crowd, *peers(4))
    assert device(found).select("price_to_median_ratio", "median_seller_count").row(0) == (1.25, 5)
    assert broken_rules(found) == []


def test_the_own_past_of_a_seller_speaks_for_a_price_far_from_the_others() -> None:
    own = UNBANDED | before(3) | {"native_amount": "0.31"}
    found = observe(UNBANDED | {"native_amount": "0.3"}, own, *peers(5, days=2))
    assert broken_rules(found) == []
    assert device(found)["own_series_count"].to_list() == [1]


@pytest.mark.parametrize(
    ("gpu", "amount", "broken"),
    [
        ("H100 SXM", "1.3867", []),
        ("H100 SXM", "1.99", []),
        ("H100 SXM", "0.0199", ["outside_the_band_of_the_device"]),
        ("H100 SXM", "0.39", ["outside_the_band_of_the_device"]),
        ("H100 SXM", "23.92", ["outside_the_band_of_the_device"]),
        ("H100 SXM", "2152.8", ["gpu_hour_in_range"]),
        ("B200", "0.01", ["outside_the_band_of_the_device"]),
        ("RTX 3090", "0.8", ["outside_the_band_of_the_device"]),
        ("RTX 3090", "0.2", []),
    ],
    ids=["vast", "voltage park", "cents", "below the floor", "a machine for a device", "a month", "a placeholder", "four for one", "one"],
)
def test_a_true_cheap_price_passes_and_a_mistake_of_unit_does_not(gpu: str, amount: str, broken: list[str]) -> None:
    dear = [DEVICE | before(10) | {"gpu_as_named": gpu, "native_amount": "11", "sku": f"{i}", "seller": f"s{i}"} for i in range(6)]
    found = observe(DEVICE | {"gpu_as_named": gpu, "native_amount": amount, "seller": "the seller"}, *(dear if gpu == "H100 SXM" else []))
    assert broken_rules(found) == broken


@pytest.mark.parametrize(
    "amounts",
    [("98.32", "55.04"), ("61.9", "20.4"), ("20.4", "50.6"), ("31.92", "44.7")],
    ids=["AWS in June 2025", "a3 spot down", "a3 spot up", "autumn of 2026"],
)
def test_real_moves_of_the_market_pass(amounts: tuple[str, str]) -> None:
    regions = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-2"]
    old = [{"region": region, "native_amount": amounts[0], **before(3)} for region in regions]
    found = observe(*old, *({"region": region, "native_amount": amounts[1]} for region in regions))
    assert broken_rules(found) == []


@pytest.mark.parametrize(
    "others",
    [
        peers(4),
        peers(5, days=31),
        peers(5, days=0),
        [peer | {"purchase_option": "spot"} for peer in peers(5)],
        [peer | {"gpu_as_named": "MI325X"} for peer in peers(5)],
        [peer | {"seller": "one seller"} for peer in peers(5)],
        [peer | {"sku": "peer", "source": f"source {i}", "seller": "one seller"} for i, peer in enumerate(peers(5))],
    ],
    ids=["four", "too old", "the same day", "other option", "other device", "series of one seller", "sources of one series"],
)
def test_fewer_than_five_sellers_convict_nothing(others: list[dict[str, Any]]) -> None:
    found = observe(UNBANDED | {"native_amount": "50"}, *others)
    assert (device(found)["median_seller_count"].fill_null(0) < 5).all()
    assert broken_rules(found) == []


def test_five_series_of_its_own_convict_a_price() -> None:
    own = [UNBANDED | before(10) | {"native_amount": "2", "sku": f"own {i}"} for i in range(5)]
    assert broken_rules(observe(UNBANDED | {"native_amount": "50"}, *own)) == ["far_from_own_past"]
    assert broken_rules(observe(UNBANDED | {"native_amount": "50"}, *own[:4])) == []


@pytest.mark.parametrize(("count", "ratio", "warned"), [(4, 25.0, 1), (1, 25.0, 1), (0, None, 0)])
def test_a_median_of_few_only_warns(count: int, ratio: float | None, warned: int) -> None:
    found = observe(UNBANDED | {"native_amount": "50"}, *peers(count))
    assert device(found)["price_to_median_ratio"].to_list() == [ratio]
    assert warnings(found)["far_from_few"] == warned


def hosts(instance_type: str, amount: str, count: int, days: int) -> list[dict[str, Any]]:
    at = DAY - dt.timedelta(days=days)
    regions = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-north-1"]
    row = {"sku": instance_type, "instance_type": instance_type, "purchase_option": "spot", "native_amount": amount}
    times = {"first_seen_at": at, "last_confirmed_at": at, "known_from": at}
    return [row | times | {"region": region, "zone": f"{region}a"} for region in regions[:count]]


def test_a_large_host_of_one_device_is_judged_by_its_own_type() -> None:
    small = [row for size in ("xlarge", "2xlarge", "4xlarge") for row in hosts(f"g4dn.{size}", "0.16", 8, 3)]
    large = hosts("g4dn.16xlarge", "1.31", 8, 3) + hosts("g4dn.16xlarge", "1.3", 1, 1)
    assert broken_rules(observe(*small, *large)) == []
    # A wrong unit does not pass where the type has a measure.
    assert broken_rules(observe(*small, *large, *hosts("g4dn.16xlarge", "13", 1, 0))) == ["far_from_own_past"]


@pytest.mark.parametrize(
    ("on_demand", "other", "broken", "warned"),
    [
        ("9.98976", {"purchase_option": "spot", "native_amount": "9.9898"}, [], 0),
        ("9.98976", {"purchase_option": "spot", "native_amount": "9.9899"}, ["spot_not_above_on_demand"], 0),
        ("9", {"purchase_option": "commitment", "commitment_months": 12, "native_amount": "9"}, [], 1),
        ("9", {"purchase_option": "commitment", "commitment_months": 12, "native_amount": "8.9"}, [], 0),
        ("9", {"purchase_option": "commitment", "commitment_months": 12, "native_amount": "9.1"}, ["commitment_not_above_on_demand"], 0),
        # Another region, system, currency or a price no longer held is no measure.
        ("9", {"purchase_option": "spot", "native_amount": "10", "region": "eu-west-1"}, [], 0),
        ("9", {"purchase_option": "spot", "native_amount": "10", "operating_system": "windows"}, [], 0),
        ("9", {"purchase_option": "spot", "native_amount": "10", "first_seen_at": DAY - dt.timedelta(days=1)}, [], 0),
        ("9", {"purchase_option": "spot", "native_amount": "10", "first_seen_at": DAY + dt.timedelta(days=46)}, [], 0),
        (
            "9",
            {"purchase_option": "spot", "native_amount": "10", "first_seen_at": DAY + dt.timedelta(days=45)},
            ["spot_not_above_on_demand"],
            0,
        ),
    ],
)
def test_against_the_on_demand_price_of_the_same_machine(on_demand: str, other: dict[str, Any], broken: list[str], warned: int) -> None:
    found = observe({"native_amount": on_demand}, {"zone": "eu-west-3a", **other}, as_of=dt.date(2026, 12, 31))
    assert broken_rules(found) == broken
    assert warnings(found)["commitment_saves"] == warned


def test_two_amounts_of_one_source_at_one_instant_are_both_put_aside() -> None:
    found = observe({}, {"native_amount": "110.24"}, {"native_amount": "90", "source": "another"}, {"region": "eu-west-1"})
    checked = check_rows(catalogue().tables["price_observation"], found.lazy(), may_quarantine=True)
    assert checked.quarantined["rule"].to_list() == ["one_amount_at_once"] * 2
    assert sorted(checked.good["native_amount"].cast(pl.Float64)) == [90.0, 98.32]


def test_order_of_rows_changes_nothing() -> None:
    rows = [{}, DEVICE | {"native_amount": "2.5"}, *peers(3, "2"), *[p | {"sku": p["sku"] + "b"} for p in peers(3, "3")]]
    assert observe(*rows).sort("sku").equals(observe(*reversed(rows)).sort("sku"))


def test_a_known_mistake_is_corrected_and_the_row_says_so() -> None:
    wrong = corrections({"corrected_column": "native_amount", "expect": "9832", "corrected": "98.32"})
    found = observe({"native_amount": "9832"}, corrected=wrong)
    assert usd(found) == usd(observe({})) and not found.item(0, "is_correction_obsolete")
    assert found.item(0, "source_detail") == "a list; corrected: native_amount was 9832"
    both = corrections(
        {"corrected_column": "currency", "expect": "EUR", "corrected": "USD"},
        {"corrected_column": "native_amount", "expect": "9832", "corrected": "98.32"},
    )
    found = observe({"native_amount": "9832", "currency": "EUR"}, corrected=both)
    assert usd(found) == usd(observe({})) and found.height == 1


@pytest.mark.parametrize("stated", ["98.32", "7000"])
def test_a_correction_that_its_source_has_mended_changes_nothing_and_is_found(stated: str) -> None:
    wrong = corrections({"corrected_column": "native_amount", "expect": "9832", "corrected": "1.00"})
    found = observe({"native_amount": stated}, corrected=wrong)
    assert found.drop("is_correction_obsolete").equals(observe({"native_amount": stated}).drop("is_correction_obsolete"))
    assert warnings(found)["correction_is_still_needed"] == 1


def test_a_correction_holds_for_its_offer_and_its_time_only() -> None:
    wrong = {"corrected_column": "native_amount", "expect": "98.32", "corrected": "1.00"}
    elsewhere = [wrong | {"sku": "another"}, wrong | {"source": "another"}, wrong | {"holds_from_on": dt.date(2099, 1, 1)}]
    ended = wrong | {"holds_until_on": dt.date(2020, 1, 2)}
    for correction in [*elsewhere, ended]:
        assert observe({}, corrected=corrections(correction)).equals(observe({}))


def test_what_the_source_leaves_out_can_be_corrected() -> None:
    offer = {"provider": DEVICE["provider"], "sku": DEVICE["sku"]}
    missing = corrections(offer | {"corrected_column": "gpu_as_named", "expect": None, "corrected": "H100 SXM"})
    nameless = DEVICE | {"gpu_as_named": None}
    assert observe(nameless).item(0, "gpu") is None
    assert observe(nameless, corrected=missing).item(0, "gpu") == "h100-sxm-80"
