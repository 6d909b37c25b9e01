"""The resolver against its vectors, and where it must refuse to answer."""

import csv
from pathlib import Path

import polars as pl
import pytest

from pipelines.contracts import catalogue
from pipelines.gpu_names import resolve
from pipelines.registry import discover, parse_curated

FIXTURES = Path(__file__).parent.parent / "fixtures"
REFERENCE = Path(__file__).parent.parent.parent / "pipelines" / "reference"


def curated(name: str) -> pl.LazyFrame:
    contract = catalogue().tables[name]
    return parse_curated((REFERENCE.parent / str(contract.bundled)).read_bytes(), contract).lazy()


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


def test_memory_that_cannot_belong_is_a_conflict() -> None:
    assert resolved([("H200 SXM", 80.0)])[("H200 SXM", 80.0)] == (None, True)


def test_every_curated_reference_parses() -> None:
    for contract in catalogue().layer("raw"):
        if contract.bundled:
            frame = parse_curated((REFERENCE.parent / contract.bundled).read_bytes(), contract)
            assert frame.height > 0, contract.name
    assert discover(catalogue())
