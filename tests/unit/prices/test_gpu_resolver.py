"""The resolver against its vectors, and where it must refuse to answer."""

import csv
import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.prices.gpu_resolver import is_less_than_whole, resolve
from tests.support.paths import FIXTURES
from tests.support.tables import curated

REFERENCE = Path(__file__).parent.parent.parent / "pipelines" / "reference"


def resolved(pairs: list[tuple[str, float | None]]) -> dict[tuple[str, float | None], tuple[str | None, bool]]:
    names = pl.LazyFrame(pairs, schema={"gpu_as_named": pl.String, "gpu_memory_gib_stated": pl.Float64}, orient="row")
    found = resolve(names, curated("reference_gpu_alias_rule"), curated("reference_gpu")).collect()
    return {(r[0], r[1]): (r[2], r[3]) for r in found.iter_rows()}


def test_all_vectors() -> None:
    with (FIXTURES / "gpu_names" / "vectors.csv").open() as file:
        vectors = list(csv.DictReader(file))
    assert len(vectors) == 88
    pairs = [(v["raw"], float(v["memory_gb"]) if v["memory_gb"] else None) for v in vectors]
    found = resolved(pairs)
    wrong = []
    for vector, pair in zip(vectors, pairs, strict=True):
        gpu, conflict = found[pair]
        expected = vector["expected_canonical"]
        if expected.startswith("CONFLICT") != conflict or (not conflict and (gpu or "None") != expected):
            wrong.append((vector, gpu, conflict))
    assert not wrong


@pytest.mark.parametrize(
    ("name", "memory", "gpu"),
    [
        ("GeForce RTX 4090 Laptop GPU", None, None),
        ("RTX 4090 D", None, None),
        ("RTX 4090", None, "rtx-4090-24"),
        ("RTX PRO 4500 Mobile", None, None),
        ("A100", None, None),
        ("MI300X x8, MI325X x8", None, None),
        ("a device nobody knows", None, None),
    ],
)
def test_nothing_is_guessed(name: str, memory: float | None, gpu: str | None) -> None:
    assert resolved([(name, memory)])[(name, memory)] == (gpu, False)


@pytest.mark.parametrize(
    ("name", "memory"),
    [("H200 SXM", 80.0), ("L40S", 24.0), ("A100 SXM4", 64.0), ("RTX 6000", 72.0), ("RTX 6000", 16.0), ("H100 PCIe 80GB", 10.0)],
)
def test_memory_that_cannot_belong_is_a_conflict(name: str, memory: float) -> None:
    assert resolved([(name, memory)])[(name, memory)] == (None, True)


@pytest.mark.parametrize(
    ("name", "gpu", "is_conflict"),
    [("H100 SXM", "h100-sxm-80", False), ("RTX 6000", None, False), ("A100 40GB", "a100-any-40", False), ("H200-SXM-80GB", None, True)],
)
def test_memory_of_zero_stands_for_unknown(name: str, gpu: str | None, is_conflict: bool) -> None:
    assert resolved([(name, 0.0)])[(name, 0.0)] == (gpu, is_conflict)


def test_a_name_of_two_devices_is_neither_device_nor_conflict() -> None:
    assert resolved([("A100 X8, V100 X4", 32.0)])[("A100 X8, V100 X4", 32.0)] == (None, False)


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "A100-SXM4-40GB MIG 3g.20gb",
        "H100 1g.12gb+me",
        "NVIDIA-H100-80GB-HBM3-SHARED",
        "NVIDIA A10-12Q",
        "L40S-1-24C",
        "GRID T4",
        "NVIDIA L40S vGPU 24 GB",
        "0.25 x L4",
        "1/2 A100 80GB",
        "50% of an L40S",
        "MI300X 1/8 partition",
        "half an H100 SXM",
        "H100 time-sliced",
        "Radeon Pro V520 VF",
        "½ H100",
        "H100 x 0.5",
        "A100 80GB, quarter",
        "one third of an A100 80GB",
        "A10 8Q",
        "A10 1of3",
        "NVIDIA L4 vWS",
        "H100 timeshared",
        "H100 MPS",
        "H100 (share)",
        "MI300X CPX",
        "MI300X-NPS4",
        "AMD Instinct MI300X 1VF",
        "gpu_1x_h100_mig",
        "H100 MIG7",
        "H100/2",
        "H100 / 7",
        "H100-0.25",
        "H100 0.5",
    ],
)
def test_less_than_a_whole_device_is_no_device(name: str) -> None:
    assert resolved([(name, None)])[(name, None)] == (None, False)


@pytest.mark.parametrize(
    "name", ["T4 / L4", "H100 or A100", "H100 SXM, H200 SXM", "L40S + L4", "RTX 4090 / RTX 5090", "MI300X or MI325X", "A6000 / A5000"]
)
def test_two_devices_in_one_name_are_neither(name: str) -> None:
    assert resolved([(name, None)])[(name, None)] == (None, False)


@pytest.mark.parametrize(
    ("name", "gpu"),
    [
        ("NVIDIA HGX H100", "h100-sxm-80"),
        ("NVIDIA H200 141GB HGX", "h200-sxm-141"),
        ("HGX A100 80GB", "a100-sxm-80"),
        ("NVIDIA H20-3e", "h20-141"),
        ("NVIDIA H800 PCIe", None),
        ("NVIDIA H800 SXM5", "h800-sxm-80"),
        ("Pro 6000 SE 96GB PCIe", "rtx-pro-6000-server-96"),
        ("RTX PRO 6000 WE", "rtx-pro-6000-workstation-96"),
        ("Tesla V100-SXM2-32GB", "v100-32"),
        ("Scaleway L40S-1-48G", "l40s-48"),
        ("L40-S", "l40s-48"),
        ("NVIDIA L40 S 48GB", "l40s-48"),
        ("H100SXM5 80GB", "h100-sxm-80"),
        ("8xH100SXM", "h100-sxm-80"),
        ("geforcertx4090-pcie-24gb", "rtx-4090-24"),
        ("NVIDIA H100 CNX", None),
        ("V100S", "v100-32"),
        ("H100 or better", None),
        ("H100-class", None),
        ("up to H100 SXM", None),
    ],
)
def test_the_form_that_a_name_says_is_known(name: str, gpu: str | None) -> None:
    assert resolved([(name, None)])[(name, None)] == (gpu, False)


@pytest.mark.parametrize(
    ("product", "is_part"),
    [
        ("gpu_1x_h100_mig", True),
        ("a100-3g.20gb", True),
        ("h100-shared", True),
        ("gpu_1x_h100_sxm5", False),
        ("NC24ads_A100_v4", False),
        ("L40S-1-48G", False),
    ],
)
def test_a_product_says_that_it_is_a_part(product: str, is_part: bool) -> None:
    assert pl.select(is_less_than_whole(pl.lit(product))).item() == is_part


CONSUMER = r"(?! ?(TI|S|SUPER|D|LAPTOP|MOBILE)\b)\b"
# The patterns as they are with look-ahead, which the engine lacks; the rules have an exception instead.
WITH_LOOK_AHEAD = {
    "rtx-pro-4500-32": r"\bRTX ?PRO ?4500(?! MOBILE)\b",
    "rtx-pro-4000-24": r"\bRTX ?PRO ?4000(?! (MOBILE|LAPTOP))\b",
    "rtx-5090-32": r"\bRTX ?5090" + CONSUMER,
    "rtx-5080-16": r"\bRTX ?5080" + CONSUMER,
    "rtx-4090-24": r"\bRTX ?4090" + CONSUMER,
    "rtx-4080-16": r"\bRTX ?4080" + CONSUMER,
    "rtx-4070ti-12": r"\bRTX ?4070 ?TI(?! ?(S|SUPER|LAPTOP))\b",
    "rtx-3090-24": r"\bRTX ?3090" + CONSUMER,
    "rtx-3080-10": r"\bRTX ?3080" + CONSUMER,
    "rtx-3070-8": r"\bRTX ?3070" + CONSUMER,
}
SUFFIXES = ["TI", "S", "SUPER", "D", "D V2", "LAPTOP", "MOBILE", "TIX", "SUPERB", "DX", "SX", "TI SUPER", "TI S", "TI LAPTOP", "TI X", "24"]


def test_exceptions_do_what_look_ahead_does() -> None:
    with_exception = curated("reference_gpu_alias_rule").filter(pl.col("except_pattern").is_not_null()).collect()
    with_exception = with_exception.filter(~pl.col("gpu").is_in(["h800-sxm-80", "h100-any-80"]))
    assert set(with_exception["gpu"]) == set(WITH_LOOK_AHEAD)
    devices = ["PRO 4500", "PRO 4000", "5090", "5080", "4090", "4080", "4070 TI", "4070TI", "3090", "3080", "3070"]
    names = [
        f"{brand}{device}{gap}{suffix}"
        for brand in ("RTX ", "RTX", "XRTX ")
        for device in devices
        for gap in ("", " ", " X ")
        for suffix in ("", *SUFFIXES)
    ]
    names = [" ".join(name.split()) for name in names]
    frame = pl.DataFrame({"name": sorted(set(names))})
    for gpu, pattern, except_pattern in with_exception.select("gpu", "pattern", "except_pattern").iter_rows():
        matched = frame.select(pl.col("name").str.contains(pattern) & ~pl.col("name").str.contains(except_pattern)).to_series()
        expected = [re.search(WITH_LOOK_AHEAD[gpu], name) is not None for name in frame["name"]]
        assert matched.to_list() == expected, gpu


def test_every_curated_reference_parses() -> None:
    for contract in catalogue().layer("raw"):
        if contract.bundled:
            assert curated(contract.name).collect().height > 0 or contract.allow_empty, contract.name
    assert discover(catalogue())
