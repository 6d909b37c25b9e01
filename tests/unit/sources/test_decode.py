"""Any bytes are a frame or a ParseError: seeds of each kind that once were something else, and bytes made by chance."""

from __future__ import annotations

import json
import tracemalloc

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.sources.lib import decode
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import offers
from tests.support.examples import examples

FETCHED = {name: module for name, module in discover(catalogue()).items() if not module.source.is_bundled}
SEEDS = {
    "lone surrogate": b'{"Items": [{"skuId": "\\ud800"}], "cloud": "\\udfff", "vms_csv": "\\ud800"}',
    "deep": b'{"Items": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of many digits": b'{"Items": [{"retailPrice": ' + b"9" * 10_000 + b"}]}",
    "an exponent": b'{"offers": [{"dph_base": 1e999999999, "num_gpus": 1}]}',
    "not a number": b'{"Items": [{"retailPrice": NaN}, {"retailPrice": Infinity}]}',
    "no utf-8": b'{"Items": "\xff\xfe"}',
    "a zip": b"PK\x03\x04" + bytes(100),
    "nul": b"\x00" * 1000,
    "one quote": b'"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "csv with a quote that does not end": b'{"cloud": "aws", "vms_csv": "InstanceType,AcceleratorName\\n\\"x"}',
    "csv of many columns": json.dumps({"cloud": "aws", "vms_csv": "A," * 3000 + "\n1,2"}).encode(),
    "csv with ragged lines": b'{"cloud": "aws", "vms_csv": "InstanceType,AcceleratorName,Region\\na,b\\n"}',
}


def frame_or_parse_error(name: str, content: bytes) -> None:
    try:
        assert isinstance(FETCHED[name].parse(content), pl.DataFrame)
    except ParseError as error:
        assert len(str(error)) < 600


@pytest.mark.parametrize("seed", sorted(SEEDS))
@pytest.mark.parametrize("name", sorted(FETCHED))
def test_seeds(name: str, seed: str) -> None:
    frame_or_parse_error(name, SEEDS[seed])


@examples(150)
@given(st.data())
def test_bytes_made_by_chance(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FETCHED)))
    content = data.draw(st.sampled_from(stored_answers(name))).read_bytes()
    at, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 40))
    put = data.draw(
        st.one_of(st.binary(max_size=20), st.sampled_from([b"null", b"[]", b"{}", b'"x"', b"-1", b"NaN", b"true", b"1e400", b","]))
    )
    frame_or_parse_error(name, content[:at] + put + content[at + length :])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
)


@examples(100)
@given(st.data())
def test_values_of_another_kind(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FETCHED)))
    content = stored_answers(name)[0].read_bytes()
    line, separator, body = content.partition(b"\n") if content.startswith(b'{"lookups"') else (b"", b"", content)
    try:
        document = json.loads(body)
    except ValueError:
        return
    places: list[tuple[object, object]] = []

    def walk(node: object) -> None:
        pairs = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
        for key, value in pairs:
            places.append((node, key))
            walk(value)

    walk(document)
    if places:
        node, key = data.draw(st.sampled_from(places))
        node[key] = data.draw(JSON)  # type: ignore[index]
    frame_or_parse_error(name, line + separator + json.dumps(document).encode())


def test_a_guard_turns_a_panic_into_its_error() -> None:
    @decode.parser("a test")
    def parse(_: bytes) -> pl.DataFrame:
        raise pl.exceptions.PanicException("index out of bounds")

    with pytest.raises(ParseError, match="a test: PanicException"):
        parse(b"")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1/4", 0.25), ("0.125", 0.125), (" 8 ", 8.0), ("8x", None), ("1/0", None), ("NaN", None), ("1e999", None), ("", None), (None, None)],
)
def test_a_count_that_is_no_number_is_unknown(text: str | None, number: float | None) -> None:
    found = offers([{"provider": "a", "gpu_count_stated": text}]).get_column("gpu_count_stated")[0]
    assert found == number


def test_amounts_keep_every_digit_that_is_printed() -> None:
    document = decode.read_json(b'{"a": 0.1000, "b": 3, "c": 1E-7, "d": "2.50", "e": true, "f": 25.3308}', "a test")
    assert [decode.as_text(document[key]) for key in "abcdef"] == ["0.1000", "3", "0.0000001", "2.50", "true", "25.3308"]


def test_what_a_source_does_not_say_has_a_default() -> None:
    found = offers([{"sku": "m", "native_amount": 1, "country_stated": "uk"}], provider="acme", currency="eur").row(0, named=True)
    assert found["seller"] == "acme" and found["region"] == "all" and found["country_stated"] == "GB" and found["currency"] == "EUR"
    assert found["purchase_option"] == found["purchase_option_as_named"] == "on_demand" and found["price_unit"] == "instance_hour"
    assert found["gpu_count_stated"] is None and found["zone"] is None


def test_a_long_list_is_held_a_part_at_a_time() -> None:
    lines = b"".join(f"machine{n},H100,{n},us-east-1\n".encode() for n in range(160_000))

    def peak(content: bytes) -> int:
        tracemalloc.start()
        try:
            assert decode.read_csv_text(content, "list", {"sku": "sku", "gpu": "gpu"}).height == content.count(b"\n") - 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    head = b"sku,gpu,usd,region\n"
    assert peak(head + lines) < 1.5 * peak(head + lines[: lines.index(b"machine40000,")])


@pytest.mark.parametrize("place", [1, 20_001, 40_000])
def test_lines_of_every_part_are_counted_alike(place: int) -> None:
    lines = [b"a,b"] * 40_000
    lines[place - 1] = b"a,b,c"
    whole = b"x,y\n" + b"\n".join(lines)
    if place == len(lines):
        with pytest.raises(ParseError, match="line 40001: 3 fields, expected 2"):
            decode.read_csv_text(whole, "list", {"x": "x", "y": "y"})
    else:
        found = decode.read_csv_text(whole, "list", {"x": "x", "y": "y"})
        assert found.height == 40_000 and found.with_row_index("n").filter(pl.col("x").is_null())["n"].to_list() == [place - 1]
