"""Stored answers with one thing changed as sellers change it: other money, units, terms, stock, and what is said twice or no longer.

A text in place of an amount is a row that the rules put aside by name (test_offers.py); what is not there at all is not sold.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.ingest.scaffold import stored_answers
from tests.support.recorded import MODULES

AMOUNT = ("native_amount",)
OPTION = ("purchase_option", "commitment_months", "commitment_days", "native_amount")
OVH_HOUR = (
    '{"capacities": ["consumption"], "interval": 1, "intervalUnit": "hour", "price": 275000000, "mode": "default", "type": "consumption"}'
)
OVH_PRICE = OVH_HOUR.replace("275000000", "199000000")
LATITUDE = (r"\"name\":\"Japan\"", {"region": "Japan"}, ("country_stated",))
TOGETHER_181 = '<td><a href="/ask"><p>Contact us</p></a></td></tr>\n<tr><td><p><span>NVIDIA</span><span> </span><span>GB200'

# source, file, what is changed, which rows, which columns, what they must be
CASES: dict[str, tuple[str, int, list[tuple[str, str]], dict[str, Any], tuple[str, ...], list[Any]]] = {
    "coreweave in euros": (
        "coreweave",
        0,
        [("$66.40", "€66.40")],
        {"sku": "nvidia-b200", "purchase_option": "on_demand"},
        AMOUNT,
        ["€66.40"],
    ),
    "coreweave by words": ("coreweave", 0, [("$66.40", "Contact us")], {"sku": "nvidia-b200", "purchase_option": "on_demand"}, AMOUNT, []),
    "coreweave a range": (
        "coreweave",
        0,
        [("$33.20", "$33.20–$40")],
        {"sku": "nvidia-b200", "purchase_option": "spot"},
        AMOUNT,
        ["$33.20–$40"],
    ),
    "coreweave no count": (
        "coreweave",
        0,
        [('<div>8</div></div><div class="table-v2-cell"><div>180', '<div>—</div></div><div class="table-v2-cell"><div>180')],
        {"sku": "nvidia-b200", "purchase_option": "spot"},
        ("gpu_count_stated", "native_amount"),
        [(None, "33.20")],
    ),
    "crusoe in pounds": ("crusoe", 0, [("$3.30/GPU-hr", "£3.30/GPU-hr")], {"gpu_as_named": "AMD MI300X 192GB"}, AMOUNT, ["£3.30/GPU-hr"]),
    "crusoe by the second": (
        "crusoe",
        0,
        [("$3.30/GPU-hr", "$0.0009/GPU-s")],
        {"gpu_as_named": "AMD MI300X 192GB"},
        AMOUNT,
        ["$0.0009/GPU-s"],
    ),
    "crusoe by the month": (
        "crusoe",
        0,
        [("$3.30/GPU-hr", "$2,400/GPU-mo")],
        {"gpu_as_named": "AMD MI300X 192GB"},
        AMOUNT,
        ["$2,400/GPU-mo"],
    ),
    "crusoe no memory": (
        "crusoe",
        0,
        [('<div class="pricing-tag is-dark">192GB</div>', "")],
        {"gpu_as_named": "AMD MI300X"},
        AMOUNT,
        ["3.30"],
    ),
    "nebius thousands": (
        "nebius",
        0,
        [("$3.75", "$1,003.75")],
        {"sku": "NVIDIA HGX H100", "purchase_option": "on_demand"},
        AMOUNT,
        ["1003.75"],
    ),
    "nebius in euros": ("nebius", 0, [("$3.75", "€3.75")], {"sku": "NVIDIA HGX H100", "purchase_option": "on_demand"}, AMOUNT, ["€3.75"]),
    "nebius another order": (
        "nebius",
        0,
        [("Preemptible, GPU-hour", "X"), ("On-demand, GPU-hour", "Preemptible, GPU-hour"), ('\\"X\\"', '\\"On-demand, GPU-hour\\"')],
        {"sku": "NVIDIA HGX H100", "purchase_option": "on_demand"},
        AMOUNT,
        ["2.05"],
    ),
    "together more prices than terms": (
        "together_page",
        0,
        [
            ("<p>—</p>", "<p>$9.00</p>"),
            (TOGETHER_181, "<td>$3.00</td><td>$2.00</td></tr>\n<tr><td><p><span>NVIDIA</span><span> </span><span>GB200"),
        ],
        {"sku": "NVIDIA HGX H100"},
        AMOUNT,
        ["6 prices, expected 5"],
    ),
    "together in euros": (
        "together_page",
        0,
        [("<p> $3.40</p>", "<p>€3.40</p>")],
        {"sku": "NVIDIA HGX H100, 31-90 days"},
        AMOUNT,
        ["€3.40"],
    ),
    "together by the year": (
        "together_page",
        0,
        [("7-30 days", "1-2 years")],
        {"sku": "NVIDIA HGX H100, 1-2 years"},
        OPTION,
        [("commitment", 12, None, "3.60")],
    ),
    "lambda least months": (
        "lambda_page",
        0,
        [("2 weeks – 1 year", "6 months – 1 year")],
        {"sku": "NVIDIA H100 cluster of 16"},
        OPTION,
        [("commitment", 6, None, "5.10")],
    ),
    "lambda least days": (
        "lambda_page",
        0,
        [("2 weeks – 1 year", "10 days")],
        {"sku": "NVIDIA H100 cluster of 16"},
        OPTION,
        [("commitment", 0, 10, "5.10")],
    ),
    "lambda no term": (
        "lambda_page",
        0,
        [("2 weeks – 1 year", "flexible")],
        {"sku": "NVIDIA H100 cluster of 16"},
        OPTION,
        [("reserved", None, None, "5.10")],
    ),
    "lambda in pounds": ("lambda_page", 0, [("$6.10", "£6.10")], {"sku": "8x NVIDIA B200 SXM6 180 GB"}, AMOUNT, ["£6.10"]),
    "lambda no memory": (
        "lambda_page",
        0,
        [('data-label="VRAM/GPU">180 GB', 'data-label="MEM">180 GB')],
        {"native_amount": "6.10"},
        ("gpu_as_named",),
        ["NVIDIA B200 SXM6"],
    ),
    "hyperstack page in euros": ("hyperstack_page", 0, [("$1.90", "€1.90")], {"purchase_option": "spot"}, AMOUNT, ["€1.90"]),
    "hyperstack page to ask for": ("hyperstack_page", 0, [("$1.90", "Contact us")], {"purchase_option": "spot"}, AMOUNT, []),
    "hyperstack a newer name": ("hyperstack", 0, [("RTX-A6000", "RTX-PRO6000-SE")], {"sku": "RTX-PRO6000-SE"}, AMOUNT, ["0.45"]),
    "hyperstack announced": (
        "hyperstack",
        0,
        [('"value": 0.45,', '"value": 0.45, "start_time": "2027-01-01T00:00:00", "end_time": "2028-01-01T00:00:00",')],
        {"sku": "RTX-A6000"},
        ("starts_on", "ends_on"),
        [(dt.date(2027, 1, 1), dt.date(2028, 1, 1))],
    ),
    "civo in pounds": (
        "civo",
        0,
        [("$1.20<span>", "£1.20<span>")],
        {"sku": "1 x NVIDIA L40S - 48GB", "purchase_option": "on_demand"},
        AMOUNT,
        ["£1.20 per hour"],
    ),
    "civo by two years": (
        "civo",
        0,
        [("12_months", "2_years")],
        {"sku": "8 x NVIDIA H100 SXM - 80GB", "purchase_option": "commitment"},
        OPTION,
        [("commitment", 24, None, "19.90")],
    ),
    "civo by weeks": (
        "civo",
        0,
        [("12_months", "2_weeks")],
        {"sku": "8 x NVIDIA H100 SXM - 80GB", "purchase_option": "commitment"},
        OPTION,
        [("commitment", 0, 14, "19.90")],
    ),
    "latitude France": (
        "latitude",
        0,
        [(LATITUDE[0], r"\"name\":\"France\"")],
        {"region": "France", "purchase_option": "on_demand"},
        LATITUDE[2],
        ["FR"],
    ),
    "latitude Sweden": (
        "latitude",
        0,
        [(LATITUDE[0], r"\"name\":\"Sweden\"")],
        {"region": "Sweden", "purchase_option": "on_demand"},
        LATITUDE[2],
        ["SE"],
    ),
    "latitude an unknown place": (
        "latitude",
        0,
        [(LATITUDE[0], r"\"name\":\"Atlantis\"")],
        {"region": "Atlantis", "purchase_option": "on_demand"},
        LATITUDE[2],
        [None],
    ),
    "latitude stock not said": (
        "latitude",
        0,
        [(r"\"stock_level\":\"low\",", "")],
        {"region": "United States", "purchase_option": "on_demand"},
        ("stock",),
        [None],
    ),
    "latitude other money only": (
        "latitude",
        0,
        [(r"\"hour\":3.2,\"month\":1168", r"\"hour\":null,\"month\":null")],
        {"region": "Japan"},
        AMOUNT,
        [],
    ),
    "massed two amounts": ("massed_compute", 0, [("$$42.50", "$$43.50")], {"sku": "B200 SXM6 x8"}, AMOUNT, ["43.50"]),
    "massed two places, two amounts": (
        "massed_compute",
        0,
        [
            (
                '-mobile-x 1-0\\",{\\"className\\":\\"row\\",\\"children\\":[\\"×\\",\\"1\\"],[\\"$$0.95',
                '-mobile-x 1-0\\",{\\"className\\":\\"row\\",\\"children\\":[\\"×\\",\\"1\\"],[\\"$$0.90',
            )
        ],
        {"sku": "L40S (48GB) x1"},
        AMOUNT,
        ["0.90", "0.95"],
    ),
    "upcloud no amount": ("upcloud", 0, [('"amount": 1,\n     "price": 171', '"price": 171')], {"region": "uk-lon1"}, AMOUNT, ["1.71"]),
    "upcloud another way of buying": ("upcloud", 0, [("GPU-24xCPU", "GPU-RESERVED-24xCPU")], {"region": "uk-lon1"}, ("sku",), [None]),
    "outscale a GPU without a price": (
        "outscale",
        0,
        [('"Type": "Gpu:attach:nvidia-h100", "UnitPrice": 2.75', '"Type": "Gpu:attach:nvidia-a100", "UnitPrice": 0')],
        {"gpu_as_named": "nvidia-a100"},
        AMOUNT,
        [None],
    ),
    "ovhcloud by the minute": (
        "ovhcloud",
        0,
        [('"interval": 1, "intervalUnit": "hour"', '"interval": 1, "intervalUnit": "minute"')],
        {"sku": "h100-380", "purchase_option": "on_demand"},
        ("price_unit",),
        ["instance_minute"],
    ),
    "scaleway to ask for": (
        "scaleway",
        0,
        [('"hourly_price": 25.0', '"hourly_price": "contact us"')],
        {"sku": "H100-SXM-8-80G"},
        AMOUNT,
        ["contact us"],
    ),
    "scaleway catalogue by the week": (
        "scaleway_catalog",
        0,
        [('"unit": "minute", "size": 1', '"unit": "week", "size": 1')],
        {"sku": "L4-1-24G"},
        ("price_unit",),
        ["instance_week"],
    ),
    "vultr no price in one place": (
        "vultr",
        1,
        [('"cdg": {"hourly_cost": 1.7', '"cdg": {"hourly_cost": 0')],
        {"region": "cdg", "purchase_option": "on_demand"},
        AMOUNT,
        ["0"],
    ),
    "linode no price": ("linode", 0, [('"hourly": 5.25', '"hourly": null')], {"gpu_as_named": "RTX PRO 6000 Blackwell"}, AMOUNT, []),
    "linode a part of the world": (
        "linode",
        0,
        [('"country": "fr"', '"country": "eu"')],
        {"region": "fr-par-2"},
        ("country_stated",),
        [None],
    ),
    "upcloud for two": (
        "upcloud",
        0,
        [('"amount": 1,\n     "price": 171', '"amount": 2,\n     "price": 342')],
        {"region": "uk-lon1"},
        AMOUNT,
        ["1.71"],
    ),
    "upcloud in dollars": ("upcloud", 0, [('"EUR"', '"USD"')], {"region": "uk-lon1"}, ("currency", "native_amount"), [("USD", "1.71")]),
    "hetzner two of them": (
        "hetzner_dedicated",
        0,
        [("GPU - NVIDIA RTX 6000", "GPU - 2x NVIDIA RTX 6000")],
        {"sku": "9000002"},
        ("gpu_count_stated",),
        [2.0],
    ),
    "hetzner a new place": ("hetzner_dedicated", 0, [("HEL1-DC2", "ASH1-DC2")], {"sku": "9000002"}, ("country_stated",), ["ASH"]),
    "cudo no price of the GPU": (
        "cudo",
        0,
        [('"gpuPriceHr": {"value": "1.75"}', '"gpuPriceHr": {"value": "0"}')],
        {"region": "no-luster-1"},
        AMOUNT,
        [None],
    ),
    "cudo no price of the memory": (
        "cudo",
        0,
        [('"memoryGibPriceHr": {"value": "0.005"}', '"memoryGibPriceHr": {}')],
        {"region": "no-luster-1"},
        AMOUNT,
        [None],
    ),
    "cudo stock not said": ("cudo", 0, [('"totalGpuFree": 16, ', "")], {"region": "no-luster-1"}, ("stock",), [None]),
    "outscale memory at two amounts": (
        "outscale",
        0,
        [('"Type": "BSU:snapshot", "UnitPrice": 0.06', '"Type": "CustomRam", "UnitPrice": 0.5'), ('"Flags": "PER_MONTH"', '"Flags": ""')],
        {},
        AMOUNT,
        ["3.550", "43.15"],
    ),
    "outscale a core at two amounts": (
        "outscale",
        0,
        [("CustomCore:v5-p2", "CustomCore:v6-p2")],
        {},
        AMOUNT,
        ["3.450", "3.550"],
    ),
    "ovhcloud another mode first": (
        "ovhcloud",
        0,
        [(OVH_HOUR, OVH_PRICE.replace('"default"', '"savingsplan"') + ", " + OVH_HOUR)],
        {"sku": "h100-380", "purchase_option": "on_demand"},
        AMOUNT,
        ["2.75"],
    ),
    "ovhcloud a commitment first": (
        "ovhcloud",
        0,
        [(OVH_HOUR, OVH_PRICE.replace('"mode"', '"commitment": 12, "mode"') + ", " + OVH_HOUR)],
        {"sku": "h100-380", "purchase_option": "on_demand"},
        AMOUNT,
        ["2.75"],
    ),
    "ovhcloud installing costs": (
        "ovhcloud",
        0,
        [('"intervalUnit": "none", "price": 0, "mode"', '"intervalUnit": "none", "price": 5000000000, "mode"')],
        {"sku": "h100-380", "purchase_option": "dedicated_month"},
        AMOUNT,
        ["1900"],
    ),
    "ovhcloud two amounts": (
        "ovhcloud",
        0,
        [(OVH_HOUR, OVH_HOUR + ", " + OVH_PRICE)],
        {"sku": "h100-380", "purchase_option": "on_demand"},
        AMOUNT,
        ["2.75", "1.99"],
    ),
    "ovhcloud in złoty": (
        "ovhcloud",
        0,
        [('"currencyCode": "EUR"', '"currencyCode": "PLN"')],
        {"sku": "h100-380", "purchase_option": "on_demand"},
        ("currency",),
        ["PLN"],
    ),
    "linode processors of the class": ("linode", 0, [('"gpus": 2,', '"gpus": 0,')], {"sku": "g3-gpu-rtxpro6000-blackwell-2"}, AMOUNT, []),
    "linode count not said": (
        "linode",
        0,
        [('"gpus": 2,', "")],
        {"sku": "g3-gpu-rtxpro6000-blackwell-2"},
        ("gpu_count_stated", "native_amount"),
        [(None, "5.25")],
    ),
    "voltage park stock not said": (
        "voltage_park",
        0,
        [('"gpu_count_ethernet": 8', '"gpu_count_ethernet": null')],
        {"native_amount": "2.05"},
        ("stock",),
        [None],
    ),
    "voltage park a price less": (
        "voltage_park",
        0,
        [('"gpu_price_infiniband": "2.55"', '"gpu_price_infiniband": null')],
        {},
        AMOUNT,
        ["2.05"],
    ),
    "vultr places not said": (
        "vultr",
        1,
        [('"locations": ["cdg", "ewr"], ', "")],
        {"sku": "vcg-l40s-16c-180g-48vram", "purchase_option": "on_demand"},
        ("region", "stock", "native_amount"),
        [("all", None, "1.6")],
    ),
    "scaleway ended": (
        "scaleway",
        0,
        [('"hourly_price": 25.0, "end_of_service": false', '"hourly_price": 25.0, "end_of_service": true')],
        {"sku": "H100-SXM-8-80G"},
        AMOUNT,
        [],
    ),
    "scaleway stock not said": (
        "scaleway",
        0,
        [('"H100-SXM-8-80G": {"availability": "shortage"}', "")],
        {"sku": "H100-SXM-8-80G"},
        ("stock",),
        [None],
    ),
    "scaleway memory not said": (
        "scaleway",
        0,
        [(', "gpu_memory": 85899345920', "")],
        {"sku": "H100-SXM-8-80G"},
        ("gpu_memory_gib_stated", "native_amount"),
        [(None, "25.0")],
    ),
    "scaleway catalogue by the second": (
        "scaleway_catalog",
        0,
        [('"unit": "minute", "size": 1', '"unit": "second", "size": 1')],
        {"sku": "L4-1-24G"},
        ("price_unit", "native_amount"),
        [("instance_second", "0.012500000")],
    ),
    "exoscale francs only": ("exoscale", 0, [('"running_gpu3_small": "2.15000000",\n', "")], {"sku": "gpu3_small"}, AMOUNT, []),
    "akash stock not said": ("akash", 0, [('"available"', '"free"')], {}, ("stock",), [None]),
    "digitalocean stock not said": (
        "digitalocean",
        0,
        [('"available": true', '"ready": true'), ('"available": false', '"ready": false')],
        {},
        ("stock",),
        [None, "none"],
    ),
    "gpu.ai stock not said": ("gpu_ai", 0, [('"available"', '"free"')], {}, ("stock",), [None]),
    "lambda places not said": ("lambda", 0, [('"regions_with_capacity_available"', '"places"')], {}, ("stock",), [None]),
    "lium a new tier": ("lium", 0, [('"tier": "spot"', '"tier": "gold"')], {"sku": "00000000-0004"}, ("purchase_option",), ["gold"]),
    "lium stock not said": ("lium", 0, [('"available_gpu_count"', '"free"')], {}, ("stock",), [None]),
    "seeweb stock not said": ("seeweb", 0, [('"available":', '"ready":')], {}, ("stock",), [None, "none"]),
    "shadeform stock not said": ("shadeform", 0, [('"available":', '"ready":')], {}, ("stock",), [None]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_changed_answer(case: str) -> None:
    name, at, changes, rows, columns, expected = CASES[case]
    text = stored_answers(name)[at].read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    found = MODULES[name].parse(text.encode()).filter(**rows).select(columns)
    given = found.to_series().to_list() if len(columns) == 1 else found.rows()
    if case.endswith("not said") and columns == ("stock",):
        given = list(dict.fromkeys(given))
    assert given == expected
