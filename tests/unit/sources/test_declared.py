"""The engine of declared sources, and manifests that are wrong: named by file and key."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from pipelines.sources.lib import declared
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.manifest import ManifestError, load_manifest
from tests.support.fetching import fetch_context
from tests.support.loopback import Answer, loopback

GOOD = """
title: Acme machines
homepage: https://acme.example/pricing
licence: public
certainty: documented
checked_on: 2026-11-23
gives: on-demand prices
base_url: https://api.acme.example
requests:
  - {name: machines, path: /v1/machines}
records: machines
row:
  provider: {value: acme}
  sku: name
  gpu_as_named: gpu
  currency: {value: USD}
offers:
  - {native_amount: hourly}
"""


def manifest(tmp_path: Path, text: str = GOOD) -> declared.Manifest:
    path = tmp_path / "acme.yml"
    path.write_text(text)
    return load_manifest(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("licence: public\n", "", "declared/acme.yml: key (top): 'licence' is a required property"),
        ("certainty: documented", "certainty: sure", "key certainty"),
        ("certainty: documented", "nonsense: 1\ncertainty: documented", "nonsense"),
        ("records: machines", "records: 'machines[?'", "key records: 'machines[?' is no JMESPath"),
        ("sku: name", "sku: name\n  colour: name", "key row"),
        ("sku: name", "sku: {path: name, match: '('}", "key row.sku"),
        ("{native_amount: hourly}", "{when: 'a[', native_amount: hourly}", "key offers.0.when"),
        ("https://api.acme.example", "http://api.acme.example", "key base_url"),
        ("checked_on: 2026-11-23", "checked_on: lately", "key checked_on"),
        ("gives: on-demand prices", "gives: on-demand prices\ngives: again", "stands twice"),
        ("title:", "title: [", "not readable as YAML"),
        ("path: /v1/machines", "path: v1", "key requests.0.path"),
    ],
)
def test_a_wrong_manifest_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(caught.value) and "acme.yml" in str(caught.value)


def rows(tmp_path: Path, text: str, document: object) -> list[tuple[object, ...]]:
    found = declared.parse(manifest(tmp_path, text), json.dumps(document).encode())
    return found.select("sku", "purchase_option", "native_amount", "price_unit").rows()


def test_a_word_that_is_not_known_stays_for_the_rules_to_name(tmp_path: Path) -> None:
    text = GOOD.replace("currency:", "price_unit: {path: unit, words: {h: instance_hour}}\n  currency:")
    document = {
        "machines": [{"name": "a", "gpu": "H100", "hourly": 1, "unit": "h"}, {"name": "b", "gpu": "L4", "hourly": 2, "unit": "fortnight"}]
    }
    assert rows(tmp_path, text, document) == [("a", "on_demand", "1", "instance_hour"), ("b", "on_demand", "2", "fortnight")]


def test_amounts_are_scaled_exactly(tmp_path: Path) -> None:
    text = GOOD.replace("{native_amount: hourly}", "{native_amount: {path: cents, times: '0.01', divided_by: count}}")
    document = {
        "machines": [
            {"name": "a", "gpu": "x", "cents": 2392, "count": 8},
            {"name": "b", "gpu": "x", "cents": "dear", "count": 8},
            {"name": "c", "gpu": "x", "cents": 1, "count": 0},
        ]
    }
    assert [row[2] for row in rows(tmp_path, text, document)] == ["2.99", "dear"]


def test_each_and_at(tmp_path: Path) -> None:
    text = GOOD.replace("records: machines", "records: machines\neach: places").replace(
        "{native_amount: hourly}", "{region: _each, native_amount: {path: by_place, at: _each, field: cost, else: hourly}}"
    )
    document = {"machines": [{"name": "a", "gpu": "x", "hourly": 1, "places": ["p", "q"], "by_place": {"q": {"cost": 3}}}]}
    found = declared.parse(manifest(tmp_path, text), json.dumps(document).encode())
    assert found.select("region", "native_amount").rows() == [("p", "1"), ("q", "3")]


def test_errors_of_graphql_are_errors(tmp_path: Path) -> None:
    text = GOOD.replace("path: /v1/machines", 'path: /graphql, graphql: "{ machines }"')
    with pytest.raises(ParseError, match="no such field"):
        rows(tmp_path, text, {"machines": [{"name": "a", "gpu": "x", "hourly": 1}], "errors": [{"message": "no such field"}]})


def test_a_request_that_fails_is_a_problem_of_its_own(tmp_path: Path) -> None:
    text = GOOD.replace("path: /v1/machines", "path: '/{zone}/machines', for_each: {zone: [a, b]}").replace(
        "sku: name", "sku: name\n  region: _with.zone"
    )
    body = b'{"machines": [{"name": "m", "gpu": "x", "hourly": 1}]}'
    problems: list[str] = []
    made = manifest(tmp_path, text)
    with loopback({"/a/machines": [(404, {}, b"")], "/b/machines": [body]}) as server:
        [payload] = declared.fetch(made, fetch_context(server.url, problems))
    assert payload.name == "machines/b/0001" and len(problems) == 1 and problems[0].startswith("machines/a: ")
    assert declared.parse(made, payload.content).get_column("region").to_list() == ["b"]


@pytest.mark.parametrize(
    ("how", "header", "value"),
    [
        ("{variables: [ACME_KEY], as: bearer}", "Authorization", "Bearer hush"),
        ("{variables: [ACME_KEY], as: header, name: X-Key}", "X-Key", "hush"),
        ("{variables: [ACME_USER, ACME_KEY], as: basic}", "Authorization", "Basic bWU6aHVzaA=="),
    ],
)
def test_a_credential_is_sent_and_stands_nowhere(tmp_path: Path, how: str, header: str, value: str) -> None:
    made = manifest(tmp_path, GOOD + f"credential: {how}\n")
    keys = {"ACME_KEY": "hush", "ACME_USER": "me"}
    with loopback({"/v1/machines": [b'{"machines": [{"name": "m", "gpu": "x", "hourly": 1}]}']}) as server:
        [payload] = declared.fetch(made, fetch_context(server.url, credentials=keys))
        assert server.headers[0][header] == value
    assert "hush" not in payload.url and b"hush" not in payload.content
    assert made.source.tier == 2 and set(made.source.credentials) <= keys.keys()


def test_facts_of_a_manifest_are_those_of_its_source(tmp_path: Path) -> None:
    source = manifest(tmp_path, GOOD + "rows_at_least: 5\nmust_have: [a]\nhosts: [b.example]\n").source
    assert (source.rows_at_least, source.must_have, source.hosts, source.table) == (5, ("a",), ("b.example",), "offer")
    assert source.checked_on == dt.date(2026, 11, 23) and source.tier == 1


LOOKED_UP = (
    GOOD.replace("path: /v1/machines}", "path: '/v1/{zone}/machines', for_each: {zone: [north, south]}}")
    .replace(
        "records: machines\n",
        """records: machines
lookups:
  stock: {path: '/v1/{zone}/stock', records: stock, optional: true, paging: {by: page, param: page, size: 1, items: stock}}
""",
    )
    .replace("  currency:", "  stock: {path: _lookup.stock, at: name, words: {out: none}}\n  currency:")
)


def test_what_is_looked_up_with_each_question_is_put_together_over_its_pages(tmp_path: Path) -> None:
    machines = b'{"machines": [{"name": "a", "gpu": "L4", "hourly": 1}, {"name": "b", "gpu": "L4", "hourly": 2}]}'
    answers: dict[str, list[Answer]] = {f"/v1/{zone}/machines": [machines] for zone in ("north", "south")}
    answers["/v1/north/stock"] = [b'{"stock": {"a": "available"}}', b'{"stock": {"b": "out"}}', b'{"stock": {}}']
    answers["/v1/south/stock"] = [(404, {}, b"")]
    problems: list[str] = []
    acme = manifest(tmp_path, LOOKED_UP)
    with loopback(answers) as server:
        north, south = declared.fetch(acme, fetch_context(server.url, problems))
    assert declared.parse(acme, north.content).select("sku", "stock").rows() == [("a", "available"), ("b", "none")]
    # Prices stand without it, and what is not known is not said.
    assert declared.parse(acme, south.content).select("sku", "stock").rows() == [("a", None), ("b", None)]
    assert len(problems) == 1 and problems[0].startswith("acme, stock, south: ")


def test_a_record_of_another_kind_takes_no_other_away(tmp_path: Path) -> None:
    """Text where a number is compared, a number where text is searched, nothing where something is joined."""
    records = "records: \"machines[?hourly > `0` && starts_with(gpu, 'L')]\""
    offer = "{when: \"!ends_with(name, '-old')\", purchase_option_as_named: \"join(' ', [name, note])\", native_amount: hourly}"
    acme = manifest(tmp_path, GOOD.replace("records: machines", records).replace("{native_amount: hourly}", offer))
    stated = [("a", "L4", 1), ("b", "L4", "2.50"), ("c", 7, 3), ("d", None, 4), ("e", "L40S", "free")]
    stated += [("f", "L40S", None), ("g", "L4", "0"), (8, "L4", 5)]
    body = json.dumps({"machines": [{"name": name, "gpu": gpu, "hourly": hourly} for name, gpu, hourly in stated]}).encode()
    assert declared.parse(acme, body).select("sku", "native_amount").rows() == [("a", "1"), ("b", "2.50"), ("8", "5")]
