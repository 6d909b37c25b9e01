"""The resolver against its vectors, and where it must refuse to answer."""

import csv
import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.prices.gpu_resolver import resolve
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
            assert curated(contract.name).collect().height > 0, contract.name
    assert discover(catalogue())
