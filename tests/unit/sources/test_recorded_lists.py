"""Lists of hyperscalers, statistics and sets of others as they were recorded; skipped where they are not there (see `recorded`)."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.sources import aws_offers, azure_retail
from tests.support.paths import FIXTURES
from tests.support.recorded import MANIFESTS, MODULES, amounts, read
from tests.support.tables import curated


def offer_file(document: dict[str, Any]) -> bytes:
    """An offer file of AWS in its other form, with the columns of the one that is read."""
    stored = list(csv.reader((FIXTURES / "aws_offers" / "answer.csv").read_text().splitlines()))
    header, out = stored[5], io.StringIO()
    names = {
        "Instance Type": "instanceType",
        "Operating System": "operatingSystem",
        "License Model": "licenseModel",
        "MarketOption": "marketoption",
    }
    names |= {
        "Pre Installed S/W": "preInstalledSw",
        "CapacityStatus": "capacitystatus",
        "Region Code": "regionCode",
        "Location": "location",
    }
    names |= {"Location Type": "locationType", "Tenancy": "tenancy", "usageType": "usagetype", "operation": "operation"}
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([*stored[:5], header])
    for kind, by_sku in document["terms"].items():
        for sku, terms in by_sku.items():
            attributes = document["products"][sku]["attributes"]
            for term in terms.values():
                for price in term["priceDimensions"].values():
                    [(currency, amount)] = price["pricePerUnit"].items()
                    stated = {column: attributes.get(name, "") for column, name in names.items()}
                    stated |= {"SKU": sku, "OfferTermCode": term["offerTermCode"], "TermType": kind, "Unit": price["unit"]}
                    writer.writerow([{**stated, "PricePerUnit": amount, "Currency": currency}.get(column, "") for column in header])
    return out.getvalue().encode()


def test_aws_of_2024_has_no_price_for_what_is_booked_in_blocks(shared: Path) -> None:
    document = json.loads((shared / "fixtures" / "aws" / "price_list_us-east-1_p4d_2024-05-28.json").read_bytes())
    found = aws_offers.parse(offer_file(document)).filter(pl.col("purchase_option") == "on_demand")
    assert found.select("sku", "region", "currency", "native_amount", "price_unit").rows() == [
        ("p4d.24xlarge", "us-east-1", "USD", "32.7726000000", "instance_hour")
    ]


def test_aws_in_china_asks_yuan_for_disks(shared: Path) -> None:
    document = json.loads((shared / "fixtures" / "aws" / "price_list_cn-northwest-1_cny.json").read_bytes())
    keep = aws_offers.lines_kept()
    kept = keep(offer_file(document)) + keep(b"")
    # Nothing of it is a machine, and nothing is in dollars.
    assert b"CNY" not in kept and aws_offers.parse(kept).is_empty()


def test_aws_spot_of_the_documentation(shared: Path) -> None:
    [example] = json.loads((shared / "fixtures" / "aws" / "describe_spot_price_history_example.json").read_bytes())
    answer = {"region": "us-west-1", "rows": example["output"]["SpotPriceHistory"]}
    found = MODULES["aws_spot"].parse(json.dumps(answer).encode())
    assert found.select("zone", "native_amount", "changed_at").rows()[0][:2] == ("us-west-1a", "0.080000")
    assert found.get_column("changed_at").dt.to_string("%Y-%m-%dT%H:%M:%S").to_list() == ["2014-01-06T04:32:53", "2014-01-05T11:28:26"]


def test_every_machine_of_aws_with_a_gpu_is_known(shared: Path) -> None:
    found = MODULES["aws_instance_types"].parse(
        (shared / "captures" / "moto_ec2" / "instance_types_accelerators_2026-10.json").read_bytes()
    )
    assert found.height == 78 and found.get_column("is_in_our_table").all()
    new = found.filter(pl.col("instance_type").str.starts_with("g7.")).sort("gpu_count_stated", "vcpus")
    sizes = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]
    assert new.select("instance_type", "gpu_as_named", "gpu_count_stated", "gpu_memory_mib_each").rows() == [
        (f"g7.{size}", "RTX PRO 4500", count, 32768) for size, count in zip(sizes, (1.0, 1.0, 1.0, 2.0, 4.0, 8.0), strict=True)
    ]
    ours = curated("reference_instance_gpu").filter(pl.col("instance_type").str.starts_with("g7.")).collect()
    assert dict(ours.select("instance_type", "gpu_count").rows()) == dict(new.select("instance_type", "gpu_count_stated").rows())


def test_gcp_of_2024_is_summed_from_its_parts(shared: Path) -> None:
    found = MODULES["gcp_billing"].parse((shared / "fixtures" / "gcp" / "skus_page.json").read_bytes())
    assert set(found.get_column("region")) == {"us-central1", "us-east1", "us-west1"}
    assert amounts(found.filter(pl.col("region") == "us-central1"), "sku") == {
        **{f"a2-highgpu-{count}g": f"{Decimal('3.673385') * count:.8f}" for count in (1, 2, 4, 8)},
        "a2-megagpu-16g": "55.73950400",
    }


def test_azures_prices_of_testers_are_nobodys(shared: Path) -> None:
    page = (shared / "fixtures" / "azure" / "retail_prices_page.json").read_bytes()
    found = azure_retail.parse(page)
    assert found.select("price_type", "native_amount", "currency").rows() == [("DevTestConsumption", "5.536", "USD")]
    lineage = {"fetched_at": pl.lit(None, dtype=pl.Datetime("us")), "snapshot_sha256": pl.lit("0" * 64)}
    assert azure_retail.normalise(found.lazy().with_columns(**lineage)).collect().is_empty()


def test_mlperfs_results_of_2025(shared: Path) -> None:
    found = MODULES["mlperf_inference"].parse((shared / "captures" / "mlperf" / "summary_results_v5.1_150_rows.json").read_bytes())
    assert found.height == 150 and set(found.get_column("result_unit")) == {"Tokens/s"}
    one = found.filter((pl.col("platform") == "8xMI300X_2xEPYC_9575F") & (pl.col("model_as_named") == "llama2-70b-99"))
    assert dict(one.select("scenario", "tokens_per_second_stated").rows()) == {
        "Interactive": 8840.42,
        "Offline": 27803.9,
        "Server": 24593.8,
    }
    assert set(one.get_column("accelerators_per_node")) == {8}


def test_vast_of_2025(shared: Path) -> None:
    rows = json.loads((shared / "fixtures" / "vast" / "search_offers_row.json").read_bytes())
    found = MODULES["vast"].parse(json.dumps({"offers": rows}).encode())
    assert found.select("country_stated", "trust_tier", "gpu_count_stated", "native_amount").unique().rows() == [
        ("CN", "community", 1.0, "0.24666667")
    ]


def test_scaleway_of_2024(shared: Path) -> None:
    found = read("scaleway", shared / "fixtures" / "scaleway" / "products_servers_page1.json", {"zone": "fr-par-2"})
    assert amounts(found, "sku") == {"L4-1-24G": "0.75", "L4-2-24G": "1.5", "L4-4-24G": "3.0", "L4-8-24G": "6.0"}


def test_the_archive_of_scaleway_is_what_its_service_said(shared: Path) -> None:
    with (shared / "captures" / "scaleway" / "readings_2024-2026.csv").open() as file:
        read_on = {(r["zone"], r["type"], Decimal(r["hourly_price_eur"])) for r in csv.DictReader(file)}
    with (PACKAGE_FOLDER / "archive" / "neocloud_and_eu_prices_2026.csv").open() as file:
        ours = {(r["region"], r["sku"], Decimal(r["native_amount"])) for r in csv.DictReader(file) if r["provider"] == "scaleway"}
    assert len(ours) > 10 and ours <= read_on


def test_oracles_parts_of_machines_with_gpus_are_known(shared: Path) -> None:
    shapes = json.loads((shared / "fixtures" / "oci" / "shape_part_numbers.json").read_bytes())
    words = MANIFESTS["oci"].document["row"]["gpu_as_named"]["words"]
    parts = {shape: part["GPU"] for shape, part in shapes.items() if part["GPU"]}
    assert parts and set(parts.values()) <= set(words)
    assert words[parts["BM.GPU.H100.8"]].startswith("H100") and words[parts["BM.GPU.A10.4"]].startswith("A10 ")
