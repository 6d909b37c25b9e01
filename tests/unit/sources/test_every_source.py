"""What holds for every source that is found: its fixture replays, and an answer of another shape is a ParseError.

A source needs nothing here: its files `tests/fixtures/<name>/answer*` (stored answers) and, for a source of offers, `offers.csv` (what
they must give) are enough.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import RAW_LINEAGE, catalogue
from pipelines.ingest import documentation
from pipelines.ingest.registry import discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import OFFER_SCHEMA, OFFER_TABLE

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODULES = discover(catalogue())
FETCHED = {name: module for name, module in MODULES.items() if not module.source.is_bundled}
OFFERED = {name: module for name, module in FETCHED.items() if module.table == OFFER_TABLE}


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_has_a_stored_answer(name: str) -> None:
    assert stored_answers(name), f"tests/fixtures/{name}/answer* is missing"


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_a_stored_answer_gives_the_columns_of_its_raw_table(name: str) -> None:
    module, contract = FETCHED[name], catalogue().tables[FETCHED[name].table]
    left_out = (*RAW_LINEAGE, *(["source"] if module.shares_table else []))
    expected = {column: kind for column, kind in contract.polars_schema().items() if column not in left_out}
    for path in stored_answers(name):
        frame = module.parse(path.read_bytes())
        assert frame.height > 0, path.name
        assert dict(frame.schema) == expected, path.name


@pytest.mark.parametrize("name", sorted(OFFERED))
def test_a_stored_answer_gives_these_offers(name: str) -> None:
    found = pl.concat(OFFERED[name].parse(path.read_bytes()) for path in stored_answers(name))
    expected = pl.read_csv(FIXTURES / name / "offers.csv", schema=OFFER_SCHEMA)
    assert found.rows() == expected.rows()
    assert (
        found.select(
            pl.len().over("sku", "region", "zone", "purchase_option", "payment_option", "commitment_months", "trust_tier").max()
        ).item(0, 0)
        == 1
    )


def body_of(content: bytes) -> tuple[bytes, bytes]:
    """The line of an envelope, where there is one, and what stands behind it."""
    line, separator, body = content.partition(b"\n")
    enveloped = separator and line.startswith(b'{"') and b'"request": ' in line and body.lstrip()[:1] not in (b"", b",")
    return (line + separator, body) if enveloped else (b"", content)


def renamed(body: bytes) -> bytes:
    """Every name of a field, an attribute or a column is another."""
    if body.lstrip().startswith(b"<"):
        body = re.sub(rb'([a-z-]+)="([a-z])', rb'\1_renamed="renamed-\2', body)
    if body.lstrip()[:1] in (b"{", b"[", b"<"):
        return re.sub(rb'"([A-Za-z_@][A-Za-z0-9_@, -]*)(\\?")(\s*[:,\]])', rb'"\1_renamed\2\3', body)
    first, _, rest = body.partition(b"\n")
    return first.replace(b",", b"_renamed,") + b"_renamed\n" + rest


BROKEN = {
    "empty": lambda _: b"",
    "truncated": lambda body: body[: len(body) // 2],
    "html": lambda _: b"<!DOCTYPE html><html><body>We will be back soon</body></html>",
    "null": lambda _: b"null",
    "list of nothing": lambda _: b"[]",
    "object of nothing": lambda _: b"{}",
    "deeply nested": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "no text": lambda _: bytes(range(256)),
    "renamed fields": renamed,
}


@pytest.mark.parametrize("how", sorted(BROKEN))
@pytest.mark.parametrize("name", sorted(FETCHED))
def test_an_answer_of_another_shape_is_a_parse_error(name: str, how: str) -> None:
    line, body = body_of(stored_answers(name)[0].read_bytes())
    with pytest.raises(ParseError):
        FETCHED[name].parse(line + BROKEN[how](body))


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_one_bad_item_takes_no_other_away(name: str) -> None:
    """A value of another kind in one item is that row's affair: JSON sources only, whose items can be found."""
    module, path = FETCHED[name], stored_answers(name)[0]
    line, body = body_of(path.read_bytes())
    try:
        document = json.loads(body)
    except ValueError:
        pytest.skip("no JSON")
    before = module.parse(path.read_bytes()).height
    if _spoil_first_item(document) and before > 1:
        try:
            assert module.parse(line + json.dumps(document).encode()).height >= 1
        except ParseError as error:
            raise AssertionError(f"{name}: one bad item took {before} rows away: {error}") from error


def _spoil_first_item(node: object) -> bool:
    """Put a number where the longest list of objects has its first item."""
    lists: list[list[object]] = []

    def walk(value: object) -> None:
        if isinstance(value, list):
            if len(value) > 1 and all(isinstance(v, dict) for v in value):
                lists.append(value)
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)

    walk(node)
    if not lists:
        return False
    longest = max(lists, key=len)
    longest.append(7)
    return True


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_says_what_it_is(name: str) -> None:
    source = FETCHED[name].source
    assert source.title and source.homepage.startswith("https://") and source.licence and source.gives, name
    assert source.base_url and source.base_url.startswith("https://"), name
    assert (source.tier == 2) == bool(source.credentials), name


def test_the_page_of_sources_is_up_to_date() -> None:
    assert documentation.PATH.read_text() == documentation.render(MODULES), "run make docs"
