"""Answers of the services themselves, as others recorded them: prices, units, counts and countries that their readers must give.

They lie beside the project and are skipped where they are not there; what each source must give without them is in its own fixture.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.prices.gpu_resolver import resolve
from pipelines.sources import scaleway_catalog
from tests.support.recorded import MODULES, amounts, read
from tests.support.tables import curated


def test_runpod_sells_no_spot_where_it_repeats_the_price(shared: Path) -> None:
    found = read("runpod", shared / "captures" / "runpod" / "gputypes_2026-08-22.json")
    assert set(found.get_column("purchase_option")) == {"on_demand"}
    assert set(found.get_column("price_unit")) == {"gpu_hour"} and set(found.get_column("currency")) == {"USD"}
    by_tier = amounts(found, "sku", "trust_tier")
    assert by_tier["NVIDIA H100 80GB HBM3", "secure"] == "3.29" and by_tier["NVIDIA H100 80GB HBM3", "community"] == "2.69"
    assert by_tier["NVIDIA B200", "secure"] == "6.79"
    # 0 is not offered.
    assert ("NVIDIA A100-SXM4-40GB", "secure") not in by_tier and by_tier["NVIDIA A100-SXM4-40GB", "community"] == "1"
    # Half a dollar stands where the community sells none.
    assert by_tier["AMD Instinct MI300X OAM", "secure"] == "2.39" and ("AMD Instinct MI300X OAM", "community") not in by_tier
    assert found.height == 15


def test_runpod_of_2025_had_spot(shared: Path) -> None:
    rows = json.loads((shared / "fixtures" / "runpod" / "gpu_types_2025-06-15.json").read_text())
    found = MODULES["runpod"].parse(json.dumps({"data": {"gpuTypes": rows}}).encode())
    spot = found.filter((pl.col("purchase_option") == "spot") & (pl.col("sku") == "AMD Instinct MI300X OAM"))
    assert spot.select("trust_tier", "native_amount").rows() == [("secure", "1.49")]


def test_oracle_tells_devices_by_part_number(shared: Path) -> None:
    found = read("oci", shared / "captures" / "oci" / "products_usd_2026-08-14.json")
    by_part = amounts(found, "sku")
    assert found.height == 18
    for part, amount in {
        "B98415": "10",
        "B112237": "15",
        "B111758": "8.6",
        "B95909": "2",
        "B109480": "10.75",
        "B110519": "10",
        "B109485": "6",
    }.items():
        assert by_part[part] == amount, part
    names = dict(found.select("sku", "gpu_as_named").rows())
    assert names["B98415"] == "H100 SXM 80GB" and names["B95907"] == "A100 SXM 80GB" and names["B92740"] == "A100 SXM 40GB"
    # Licences of software and machines on the customer's premises are no GPUs of this cloud.
    assert not {"B111824", "B111831", "B110965", "B111454", "B111455", "B108806"} & set(by_part)
    # What nobody has said of a part is not guessed from its name.
    assert names["B109480"] == "B109480"


def test_oracle_of_2024(shared: Path) -> None:
    found = read("oci", shared / "fixtures" / "oci" / "products_usd.json")
    assert {"B98415", "B95907", "B95909", "B92740", "B89734"} <= set(found.get_column("sku"))


def test_verda_counts_by_the_leading_number(shared: Path) -> None:
    found = read("verda_page", shared / "captures" / "verda" / "pricing_jsonld_2026-08-22.html")
    by_option = amounts(found, "sku", "purchase_option")
    assert by_option["1x H100 SXM5 80GB", "on_demand"] == "3.25" and by_option["1x H100 SXM5 80GB", "spot"] == "1.625"
    assert by_option["1x GB300 SXM6 288GB", "on_demand"] == "8.62"
    assert found.height == 10 and set(found.get_column("gpu_count_stated")) == {1.0}
    # Spot is half of on demand for all: a price that is set, not a market.
    on_demand = {sku: amount for (sku, option), amount in by_option.items() if option == "on_demand"}
    assert all(Decimal(by_option[sku, "spot"]) * 2 == Decimal(amount) for sku, amount in on_demand.items())


def test_verda_memory_is_that_of_all_gpus(shared: Path) -> None:
    path = shared / "fixtures" / "verda" / "instance_type_two_gpu.json"
    found = MODULES["verda"].parse(b"[" + path.read_bytes() + b"]")
    assert found.select("gpu_count_stated", "gpu_memory_gib_stated").unique().rows() == [(2.0, 48.0)]
    assert amounts(found, "purchase_option") == {"on_demand": "1.98", "spot": "0.70"}


def test_nebius_says_preemptible_first(shared: Path) -> None:
    found = read("nebius", shared / "captures" / "nebius" / "prices_2026-08.html")
    by_option = amounts(found, "sku", "purchase_option")
    assert by_option["NVIDIA HGX H100", "on_demand"] == "3.85" and by_option["NVIDIA HGX H100", "spot"] == "2.15"
    assert by_option["NVIDIA HGX B200", "on_demand"] == "7.15"
    # "Contact us" is no offer.
    assert not any("GB300" in sku for sku, _ in by_option)
    named = dict(found.filter(pl.col("purchase_option") == "on_demand").select("sku", "purchase_option_as_named").rows())
    assert "least of several" in named["NVIDIA L40S with Intel CPU"]


def test_coreweave_has_spot_and_footnotes(shared: Path) -> None:
    found = read("coreweave", shared / "captures" / "coreweave" / "pricing_rows_2026-08-22.html")
    assert amounts(found, "sku", "purchase_option") == {
        ("nvidia-b200", "on_demand"): "68.80",
        ("nvidia-b200", "spot"): "34.11",
        ("nvidia-b300", "spot"): "35.84",
    }
    assert set(found.get_column("gpu_count_stated")) == {8.0} and set(found.get_column("price_unit")) == {"instance_hour"}


def test_voltage_park_is_priced_per_gpu(shared: Path) -> None:
    found = read("voltage_park", shared / "captures" / "voltagepark" / "locations_2026-08-22.json")
    assert amounts(found, "sku") == {"h100-sxm5-80gb ethernet": "1.99", "h100-sxm5-80gb infiniband": "2.49"}
    # A list price without a machine to be had.
    assert set(found.get_column("stock")) == {"none"} and set(found.get_column("price_unit")) == {"gpu_hour"}


def test_vast_offers_are_statistics(shared: Path) -> None:
    found = read("vast", shared / "captures" / "vast" / "offer_2026-08-22.json")
    assert found.select("country_stated", "trust_tier", "gpu_count_stated", "native_amount").unique().rows() == [
        ("US", "community", 1.0, "1.73333333")
    ]


ZONES = {
    "fr-par-2_servers_p1": {"H100-1-80G": "2.8665", "B300-SXM-8-288G": "60.0", "B300-SXM-2-288G": "18.96"},
    "fr-par-2_servers_p2": {"H100-SXM-8-80G": "25.3308", "L40S-1-48G": "1.469916"},
    "fr-par-1_servers_p1": {"L4-8-24G": "6.3"},
    "pl-waw-2_servers_p1": {"H100-2-80G": "5.733"},
}


@pytest.mark.parametrize("file", sorted(ZONES))
def test_scaleway_by_zone(shared: Path, file: str) -> None:
    zone = file.split("_", maxsplit=1)[0]
    found = read("scaleway", shared / "captures" / "scaleway" / f"{file}.json", {"zone": zone})
    prices = amounts(found, "sku")
    assert {sku: prices[sku] for sku in ZONES[file]} == ZONES[file]
    assert set(found.get_column("country_stated")) == {zone[:2].upper()} and set(found.get_column("currency")) == {"EUR"}
    assert set(found.get_column("region")) == {zone}


@pytest.mark.parametrize("file", ["nl-ams-1_servers_p1", "pl-waw-2_servers_p2"])
def test_scaleway_zones_without_gpus_have_no_offers(shared: Path, file: str) -> None:
    assert read("scaleway", shared / "captures" / "scaleway" / f"{file}.json", {"zone": file.split("_", maxsplit=1)[0]}).is_empty()


def test_scaleways_two_endpoints_agree_by_their_own_units(shared: Path) -> None:
    folder = shared / "captures" / "scaleway"
    servers = amounts(read("scaleway", folder / "fr-par-1_servers_p1.json", {"zone": "fr-par-1"}), "sku")
    products = scaleway_catalog.parse((folder / "catalog_fr-par-1_2026-07-01.json").read_bytes())
    units = dict(products.select("sku", "price_unit").rows())
    assert units["L4-8-24G"] == "instance_minute" and units["RENDER-S"] == "instance_hour"
    for sku, amount in amounts(products, "sku").items():
        if sku in servers:
            assert Decimal(amount) * (60 if units[sku] == "instance_minute" else 1) == Decimal(servers[sku]), sku
    assert {"L4-1-24G", "L4-2-24G", "L4-4-24G", "L4-8-24G"} <= servers.keys() & units.keys()


def test_scaleway_says_what_can_be_had(shared: Path) -> None:
    folder = shared / "captures" / "scaleway"
    for zone, said in {
        "fr-par-1": {"L4-1-24G": "available", "L4-2-24G": "none", "L4-4-24G": "none", "L4-8-24G": "none"},
        "fr-par-2": {"B300-SXM-8-288G": "none", "H100-1-80G": "none", "H100-SXM-2-80G": "available"},
    }.items():
        availability = [json.loads((folder / f"{zone}_availability_p1.json").read_bytes())]
        found = read("scaleway", folder / f"{zone}_servers_p1.json", {"zone": zone}, availability=availability)
        assert said.items() <= dict(found.select("sku", "stock").rows()).items()


def test_ovhcloud_of_older_days_has_machines_by_the_month_as_a_product_of_their_own(shared: Path) -> None:
    found = read("ovhcloud", shared / "fixtures" / "ovh" / "catalog_excerpt.json")
    assert amounts(found, "sku", "price_unit") == {("t2-45", "instance_hour"): "1.8", ("t2-45", "instance_month"): "638"}
    assert found.select("gpu_as_named", "gpu_count_stated", "currency").unique().rows() == [("Tesla V100S", 1.0, "EUR")]


def test_ovhcloud_prices_are_hundred_millionths_of_a_euro(shared: Path) -> None:
    found = read("ovhcloud", shared / "examples" / "ovh" / "catalog_cloud_IE.json")
    assert amounts(found, "sku", "price_unit") == {("h100-760", "instance_hour"): "5.6"}
    assert found.select("gpu_as_named", "gpu_count_stated", "currency").rows() == [("H100", 2.0, "EUR")]


def test_vultr_of_2024_and_2026(shared: Path) -> None:
    regions = json.loads((shared / "examples" / "vultr" / "regions.json").read_text())
    new = read("vultr", shared / "examples" / "vultr" / "plans-metal_2026.json", request="plans-metal", regions=regions)
    # No on-demand machine of this type is sold; it is sold out everywhere.
    assert new.select("sku", "region", "stock", "purchase_option", "native_amount", "gpu_count_stated").rows() == [
        ("vbm-112c-2048gb-8-a100-gpu", "all", "none", "spot", "11.92", 8.0)
    ]
    old = read("vultr", shared / "fixtures" / "vultr" / "vultr_bare_metal.json", request="plans-metal", regions=regions)
    assert ("vbm-256c-2048gb-8-mi300x-gpu", 8.0, "17.52") in old.select("sku", "gpu_count_stated", "native_amount").rows()
    plans = read("vultr", shared / "fixtures" / "vultr" / "vultr_vm_instances.json", request="plans", regions=regions)
    assert plans.height >= 1


def test_digitalocean_memory_is_that_of_all_gpus(shared: Path) -> None:
    found = read("digitalocean", shared / "fixtures" / "digitalocean" / "sizes.json")
    assert found.filter(pl.col("sku") == "gpu-h100x8-640gb").select("gpu_memory_gib_stated", "native_amount").rows()[0] == (80.0, "23.92")


def test_linode_gpus(shared: Path) -> None:
    regions = {"data": []}
    found = read("linode", shared / "fixtures" / "linode" / "types.json", regions=regions)
    assert amounts(found, "sku")["g1-gpu-rtx6000-4"] == "6.0" and set(found.get_column("gpu_count_stated")) == {1.0, 2.0, 3.0, 4.0}


def test_lambda_prices_are_cents(shared: Path) -> None:
    found = read("lambda", shared / "fixtures" / "lambda" / "instance_types.json")
    assert amounts(found, "sku")["gpu_1x_a6000"] == "1.09"


def test_skypilot_lists(shared: Path) -> None:
    module = MODULES["skypilot_catalog"]
    for cloud in ("lambda", "runpod", "verda"):
        csv = (shared / "captures" / "skypilot_catalog" / f"{cloud}_vms_v8.csv").read_text()
        frame = module.parse(json.dumps({"cloud": cloud, "vms_csv": csv}).encode())
        assert module.normalise is not None
        lineage = {"fetched_at": pl.lit(None, dtype=pl.Datetime("us")), "snapshot_sha256": pl.lit("0" * 64)}
        fed = module.normalise(frame.lazy().with_columns(**lineage)).collect()
        assert set(fed.get_column("region")) == {"all"} and fed.height > 0, cloud
        assert cloud != "runpod" or set(fed.get_column("purchase_option")) == {"on_demand"}


def test_azure_rows_of_2025_hold_no_windows(shared: Path) -> None:
    rows = json.loads((shared / "fixtures" / "azure" / "retail_prices_rows_2025-06-21.json").read_text())
    items = rows if isinstance(rows, list) else rows["Items"]
    windows = [i for i in items if i["productName"].endswith(("Windows", "Win"))]
    assert windows
    pattern = r"(?i)\b(series|srs|linux)$"
    assert not pl.Series([i["productName"] for i in windows]).str.contains(pattern).any()
    plain = {i["productName"] for i in items if not i["productName"].endswith(("Windows", "Win", "Dedicated Host"))}
    assert pl.Series(sorted(plain)).str.contains(pattern).all()


def test_a_set_of_readings_gives_neither_nebius_nor_old_days(shared: Path) -> None:
    found = read("us_ai_infra", shared / "captures" / "us-ai-infra" / "gpu_prices.csv")
    assert set(found.get_column("provider")) == {"lambda", "runpod"} and found.height == 5
    tiers = dict(found.select("provider", "trust_tier").rows())
    assert tiers == {"lambda": "datacenter", "runpod": "community"}


def test_together_machines_are_managed_and_no_bare_machines(shared: Path) -> None:
    found = read("together", shared / "examples" / "together" / "inference-instance-types.json")
    assert found.select("purchase_option", "native_amount", "gpu_count_stated").rows() == [("serverless", "31.9", 8.0)]


def test_energy_examples_are_read(shared: Path) -> None:
    # The value that Eurostat does not have is no row; a state without a price is none either.
    eurostat = MODULES["eurostat_electricity"]
    bands = json.loads((shared / "examples" / "eurostat" / "nrg_pc_205.json").read_bytes())
    assert eurostat.parse(json.dumps(bands, default=str).encode()).select("area", "native_per_kwh").rows() == [
        ("FR", "0.1321"),
        ("FR", "0.1288"),
        ("DE", "0.1602"),
    ]
    eia = MODULES["eia_electricity"].parse((shared / "examples" / "eia" / "retail-sales.json").read_bytes())
    assert eia.select("area", "native_per_kwh").rows() == [("US", "0.0872")]
    entsoe = MODULES["entsoe"].parse((shared / "examples" / "entsoe" / "A44_FR.xml").read_bytes())
    # Three quarters of an hour at 41.20, then 38.05 to the end of the day: what repeats is left out.
    assert entsoe.get_column("native_per_kwh").to_list() == [f"{(Decimal('41.20') * 3 + Decimal('38.05') * 93) / 96 / 1000:.8f}"]


def test_electricity_of_the_states_as_a_public_set_reads_it(shared: Path) -> None:
    path = shared / "captures" / "us-ai-infra" / "power_econ.csv"
    found = MODULES["us_ai_infra_power"].parse(path.read_bytes())
    stated = pl.read_csv(path, infer_schema_length=0)
    assert found.get_column("area").n_unique() == stated.get_column("state").n_unique() >= 50
    assert found.get_column("period_from_on").min() == dt.date(2026, 3, 1)
    virginia = stated.filter((pl.col("state") == "VA") & (pl.col("period") == "2026-03")).sort("date").row(-1, named=True)
    [price] = found.filter(area="US-VA", period_from_on=dt.date(2026, 3, 1)).get_column("native_per_kwh")
    assert Decimal(price) == Decimal(virginia["ind_cents_kwh"]) / 100
    # From 4 cents to those of Hawaii: no megawatt-hours, and no cents taken for dollars.
    assert found.get_column("native_per_kwh").cast(pl.Float64).is_between(0.04, 0.45).all()


def test_names_of_devices_in_a_set_that_is_not_read(shared: Path) -> None:
    # Its prices are partly those of other products; its 310 names of devices are as sellers write them.
    offerings = json.loads((shared / "captures" / "tardellirs" / "offerings.json").read_bytes())
    names = pl.LazyFrame(
        [(row["gpu_model"], float(row["vram_gb"])) for row in offerings], schema=["gpu_as_named", "gpu_memory_gib_stated"], orient="row"
    )
    found = resolve(names, curated("reference_gpu_alias_rule"), curated("reference_gpu")).collect()
    conflicts = found.filter("is_gpu_conflict").get_column("gpu_as_named").sort().to_list()
    # A memory that no such device has: of another one, of a part of one, or soldered on by its seller.
    assert conflicts == ["NVIDIA B300", "NVIDIA L40", "NVIDIA RTX PRO-A6000 SE", "RTX 4080 (32 GB mod)", "RTX 4090 (48 GB mod)"]
    unknown = found.filter(pl.col("gpu").is_null() & ~pl.col("is_gpu_conflict")).get_column("gpu_as_named")
    assert unknown.str.contains(r"^(GTX|RTX (20|30|40|50)|Quadro RTX 5000)").all() and unknown.len() == 25
