"""Fields of an answer by their paths, and what a live one has beside the recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.ingest.recorded_answers import fields_of, missing_and_new


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b'{"data": {"prices": [{"usd": 1}, {"usd": 2, "eur": null}]}, "next": null}', {"data.prices[].usd", "data.prices[].eur", "next"}),
        (b'[{"id": 1}]', {"[].id"}),
        # The keys of an object by name are data, its fields are not.
        (b'{"gpu_1x": {"usd": 1}, "gpu_8x": {"usd": 8}}', {"*.usd"}),
        (b'{"lookups": {}, "request": "types", "variables": {}}\n[{"id": 1}]', {"[].id"}),
        (b"date,usd\n2026-11-23,1\n", {"date", "usd"}),
        (b'"FormatVersion","v1.0"\n"SKU","Unit","Price"\n"a","Hrs","1"\n', {"SKU", "Unit", "Price"}),
        (b"<html><body>12</body></html>", set()),
        (b'{"cut off', set()),
        (b"", set()),
    ],
)
def test_fields_are_named_by_their_paths(content: bytes, fields: set[str]) -> None:
    assert fields_of(content) == fields


def test_missing_fields_and_new_ones(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "answer.json").write_text(json.dumps([{"id": 1, "usd": 2}]))
    (tmp_path / "acme" / "offers.csv").write_text("never,read\n1,2\n")
    assert missing_and_new("acme", [b'[{"id": 1, "price": 2}]'], tmp_path) == (["[].usd"], ["[].price"])
    # Of several recorded answers the one that it is most like.
    (tmp_path / "acme" / "answer_places.json").write_text(json.dumps([{"place": 1, "country": 2}]))
    assert missing_and_new("acme", [b'[{"place": 1, "city": 2}]'], tmp_path) == (["[].country"], ["[].city"])
    assert missing_and_new("nobody", [b'[{"id": 1}]'], tmp_path) == ([], [])
