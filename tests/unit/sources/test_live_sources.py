"""Azure, ECB and AWS: from recorded answers to rows of their feeds."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from moto import mock_aws

from pipelines.catalogue.contracts import catalogue
from pipelines.sources import aws_instance_types, aws_spot, azure_retail, ecb_fx
from pipelines.sources.lib import aws as aws_common
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES
from tests.support.tables import AT, with_lineage


def feed(module: Any, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    found = module.normalise(with_lineage(frame))
    catalogue().feeds[name].conform(found)
    return found.collect()


def azure_page(name: str) -> bytes:
    return (FIXTURES / "azure_retail" / f"answer_{name}.json").read_bytes()


def azure_rows() -> pl.DataFrame:
    return pl.concat(azure_retail.parse(azure_page(n)) for n in ("consumption_1", "consumption_2", "reservation_1"))


def test_azure_pages_of_all_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_retail, "_regions", lambda: ["francecentral", "ukwest"])
    base = "/api/retail/prices"

    def query(region: str, kind: str) -> str:
        families = " or ".join(f"contains(armSkuName,'{f}')" for f in ("_NC", "_ND", "_NV", "_NG"))
        where = f"serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and priceType eq '{kind}' and ({families})"
        return f"{base}?api-version=2023-01-01-preview&currencyCode='USD'&$filter={where}".replace(" ", "+")

    answers: dict[str, Any] = {
        query("francecentral", "Consumption"): [azure_page("consumption_1")],
        query("francecentral", "Reservation"): [azure_page("reservation_1")],
        query("ukwest", "Consumption"): [(404, {}, b"")],
        f"{base}?page=2": [azure_page("consumption_2")],
    }
    problems: list[str] = []
    with loopback(answers) as server:
        names = [p.name for p in azure_retail.fetch(fetch_context(server.url, problems))]
    assert names == ["francecentral/Consumption/0001", "francecentral/Consumption/0002", "francecentral/Reservation/0001"]
    assert len(problems) == 1 and "ukwest" in problems[0]


def test_azure_kinds_of_prices() -> None:
    found = feed(azure_retail, azure_rows(), "observation")
    kinds = {(r["sku"], r["purchase_option"], r["payment_option"], r["commitment_months"]): r["native_amount"] for r in found.to_dicts()}
    machine = "Standard_ND96isr_H100_v5"
    assert kinds == {
        (machine, "on_demand", None, None): "100.25",
        (machine, "spot", None, None): "30.5",
        (machine, "commitment", "none", 12): "80.75",
        (machine, "commitment", "none", 36): "50.5",
        (machine, "commitment", "all", 12): "75.00000000",
        (machine, "commitment", "all", 36): "50.00000000",
        # A placeholder passes: the checks of staging stop it, in the open.
        ("Standard_ND96asr_v4", "on_demand", None, None): "0.01",
    }


@pytest.mark.parametrize(
    ("product", "is_plain"),
    [
        ("Virtual Machines NDsrH100v5 Series", True),
        ("NCads A100 v4 Series Linux", True),
        ("Virtual Machines NCCadsv5 Srs", True),
        ("Virtual Machines NCCadsv5 Srs Win", False),
        ("Virtual Machines Windows NC Series", False),
        ("Windows NCads A100 v4 Series", False),
        ("NCads A100 v4 Series Red Hat Enterprise Linux", False),
        ("RHEL NC Series", False),
        ("NC Series SUSE Linux", False),
        ("NDasr A100 v4 Series Dedicated Host", False),
    ],
)
def test_azure_lets_in_what_is_named_as_plain_linux(product: str, is_plain: bool) -> None:
    rows = azure_rows().with_columns(product_name=pl.lit(product))
    assert feed(azure_retail, rows, "observation").is_empty() is not is_plain


def test_azure_reservations_of_any_length_are_of_their_months() -> None:
    rows = azure_rows().filter(pl.col("reservation_term") == "3 Years").with_columns(reservation_term=pl.lit("18 Months"))
    found = feed(azure_retail, rows, "observation")
    assert found.select("commitment_months", "native_amount").row(0) == (18, "100.00000000")


def test_azure_falls_back_to_the_plain_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_retail, "_regions", lambda: ["francecentral"])
    with loopback({"/api/retail/prices": [(400, {}, b""), azure_page("consumption_2"), azure_page("reservation_1")]}) as server:
        assert len(list(azure_retail.fetch(fetch_context(server.url)))) == 2
        assert "contains" in server.asked[0] and "contains" not in server.asked[1]


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"Items": 3}', b'{"Items": [{"skuId": null}]}', b'{"Items": [7]}'])
def test_azure_shapes_that_are_no_page(content: bytes) -> None:
    with pytest.raises(ParseError):
        azure_retail.parse(content)


def test_azure_recorded_pages(shared: Path) -> None:
    for path in (shared / "examples" / "azure_retail").glob("*.json"):
        assert azure_retail.parse(path.read_bytes()).height > 0


def ecb_zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_ecb_rates() -> None:
    text = (FIXTURES / "ecb_fx" / "eurofxref-hist.csv").read_text()
    with loopback({"/stats/eurofxref/eurofxref-hist.zip": [ecb_zip({"eurofxref-hist.csv": text})]}) as server:
        [payload] = ecb_fx.fetch(fetch_context(server.url))
    found = feed(ecb_fx, ecb_fx.parse(payload.content), "fx")
    assert sorted(found.select("on_date", "currency", "units_per_eur").rows()) == [
        (dt.date(2026, 10, 29), "CHF", "0.94"),
        (dt.date(2026, 10, 29), "USD", "1.20"),
        (dt.date(2026, 10, 30), "CHF", "0.95"),
        (dt.date(2026, 10, 30), "JPY", "150.5"),
        (dt.date(2026, 10, 30), "USD", "1.25"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a zip", "not a readable archive"),
        (ecb_zip({"../evil.csv": "Date,USD,\n"}), "expected one member"),
        (ecb_zip({"eurofxref-hist.csv": "Day,USD,\n2026-01-01,1.1,\n"}), "expected Date"),
        (ecb_zip({"eurofxref-hist.csv": "Date,USD,\n2026-13-01,1.1,\n"}), "2026-13-01"),
        (ecb_zip({"eurofxref-hist.csv": "Date,USD,\n2026-01-01,dear,\n"}), "dear"),
        (ecb_zip({"eurofxref-hist.csv": "Date,USD,\n" + "2026-01-01,1.1,\n" * 3_000_000}), "unpacks to more"),
    ],
)
def test_ecb_files_that_are_none(content: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        ecb_fx.parse(content)


def test_a_wrong_rate_takes_no_other_with_it() -> None:
    text = "\ufeffDate, USD,JPY,\n2026-10-30,1.25,150.5,\n2026-10-29,1.20;,149,\n"
    text += "12026-10-28,1.2,148,\n2026-10-27,1.19\n2026-10-26,1e999,147,\n"
    found = ecb_fx.parse(ecb_zip({"eurofxref-hist.csv": text}))
    assert sorted(found.drop_nulls().rows()) == [
        (dt.date(2026, 10, 26), "JPY", "147"),
        (dt.date(2026, 10, 27), "USD", "1.19"),
        (dt.date(2026, 10, 29), "JPY", "149"),
        (dt.date(2026, 10, 30), "JPY", "150.5"),
        (dt.date(2026, 10, 30), "USD", "1.25"),
    ]
    # The rules find the others by what is unknown of them.
    assert found.filter(pl.col("on_date").is_null()).height == 2 and found.filter(pl.col("units_per_eur").is_null()).height == 2


KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush-hush"}


def test_spot_changes() -> None:
    found = feed(aws_spot, aws_spot.parse((FIXTURES / "aws_spot" / "answer.json").read_bytes()), "observation")
    assert found.select("zone", "native_amount", "first_seen_at", "last_confirmed_at").rows() == [
        ("us-east-1a", "21.5000", dt.datetime(2026, 11, 20, 10), AT),
        ("us-east-1a", "22.2500", dt.datetime(2026, 11, 21, 10, 30), AT),
    ]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"region": "x", "rows": [{}]}'])
def test_spot_shapes_that_are_none(content: bytes) -> None:
    with pytest.raises(ParseError):
        aws_spot.parse(content)


class FakePages:
    """Stands for a paginator; botocore's own paging is its own affair, which pages there are is ours."""

    def __init__(self, pages: list[dict[str, Any]], asked: list[dict[str, Any]]) -> None:
        self._pages, self._asked = pages, asked

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        self._asked.append(arguments)
        return self._pages


class FakeClient:
    def __init__(self, region: str, asked: list[dict[str, Any]]) -> None:
        self._region, self._asked = region, asked

    def describe_regions(self, AllRegions: bool) -> dict[str, Any]:
        return {"Regions": [{"RegionName": r} for r in ("eu-west-3", "me-south-1", "us-east-1")]}

    def get_paginator(self, name: str) -> FakePages:
        from botocore.exceptions import ClientError, ConnectTimeoutError

        if self._region == "me-south-1":
            raise ConnectTimeoutError(endpoint_url="https://ec2.me-south-1.amazonaws.com")
        if self._region == "eu-west-3":
            raise ClientError({"Error": {"Code": "OptInRequired", "Message": "AKIDEXAMPLE"}}, name)
        rows = json.loads((FIXTURES / "aws_spot" / "answer.json").read_text())["rows"]
        return FakePages([{"SpotPriceHistory": rows[:1]}, {"SpotPriceHistory": []}, {"SpotPriceHistory": rows[1:]}], self._asked)


def test_spot_over_all_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(aws_common, "_client_maker", lambda _context: lambda region: FakeClient(region, asked))
    problems: list[str] = []
    since = dt.datetime(2026, 11, 22, 6)
    payloads = list(aws_spot.fetch(fetch_context(aws_common.NOMINAL_URL, problems, since=since, credentials=KEYS)))
    # An empty page in the middle loses nothing; a region that is not switched on is no problem, one out of reach is.
    assert [p.name for p in payloads] == ["us-east-1"] and aws_spot.parse(payloads[0].content).height == 2
    assert problems == ["region me-south-1: ConnectTimeoutError"]
    assert asked[0]["StartTime"] == max(since, asked[0]["StartTime"].replace(tzinfo=None)).replace(tzinfo=dt.UTC)
    assert "p5.48xlarge" in asked[0]["InstanceTypes"]


@mock_aws
def test_instance_types_through_the_real_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_common, "_account_regions", lambda *_: ["us-east-1"])
    payloads = list(aws_instance_types.fetch(fetch_context(aws_common.NOMINAL_URL, credentials=KEYS)))
    frame = aws_instance_types.parse(next(p for p in payloads if p.name == "us-east-1").content)
    assert "p4d.24xlarge" in frame.get_column("instance_type").to_list()
    assert all("hush-hush" not in p.url and b"hush-hush" not in p.content for p in payloads)


@mock_aws
def test_regions_of_the_account_through_the_real_client() -> None:
    given = fetch_context(aws_common.NOMINAL_URL, credentials=KEYS)
    found = aws_common._account_regions(given, aws_common._client_maker(given))
    assert len(found) > 10 and found == sorted(found)


def test_no_connection_is_offline_and_names_no_key() -> None:
    with pytest.raises(OfflineError) as caught:
        list(aws_spot.fetch(fetch_context("http://127.0.0.1:9", credentials=KEYS)))
    assert "hush" not in str(caught.value)


def test_a_refused_account_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    class Refused(FakeClient):
        def describe_regions(self, AllRegions: bool) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AuthFailure", "Message": "hush-hush"}}, "DescribeRegions")

    monkeypatch.setattr(aws_common, "_client_maker", lambda _context: lambda region: Refused(region, []))
    with pytest.raises(SourceError, match="AuthFailure") as caught:
        list(aws_spot.fetch(fetch_context(aws_common.NOMINAL_URL, credentials=KEYS)))
    assert "hush" not in str(caught.value)
