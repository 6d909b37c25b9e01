"""The engine of declared sources: asks what a manifest says, and reads the answers as offers by its paths.

Belongs here: what holds for every manifest. Does not belong here: the form of a manifest (`manifest`), anything about one service.

An answer becomes records (`records`, a JMESPath to a list, or to an object whose keys are then `_key`), each record as many as `each`
has elements (`_each`), each of these one row per offer whose `when` holds and whose amount is there. What the request was asked with
stands under `_with`, the whole answer under `_answer`, answers that the manifest looks up stand as objects by key under `_lookup`: once
for all questions, or with each where their path names one of its variables. What can be done without (`optional`) is said where it
fails, and is not there then.

A column is a JMESPath, a fixed `value`, or a path whose text is cut out (`match`: the group that matched), translated (`words`, or
`countries` by their names) or scaled (`times`, `divided_by`, `less_percent`, exact); with `at` the path leads to an object of which the
key at that path is taken, and of it `field`, or what is at `else`. A word that `words` does not know stays as it is: where its column
allows only certain words, its row is put aside by name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.countries import COUNTRIES
from pipelines.sources.lib.decode import as_text, number_of, parser, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.manifest import Manifest, Question, manifests
from pipelines.sources.lib.offers import offers
from pipelines.sources.lib.paging import pages
from pipelines.sources.lib.paths import search
from pipelines.sources.lib.source import FetchContext, Payload

__all__ = ["Manifest", "enveloped", "fetch", "manifests", "parse"]

# A quotient keeps as many digits as money has.
_AMOUNT_DIGITS = Decimal("0.00000001")


def fetch(manifest: Manifest, context: FetchContext) -> Iterable[Payload]:
    """Each question's answers, page by page. One that fails is a problem of its own, unless none is left."""
    once, each = manifest.lookups()
    shared = _looked_up(manifest, context, once, {})
    payloads: list[Payload] = []
    failed: list[SourceError] = []
    for question in manifest.questions():
        try:
            lookups = shared | _looked_up(manifest, context, each, question.variables)
            payloads += _answers(manifest, context, question, lookups)
        except OfflineError:
            raise
        except SourceError as error:
            failed.append(error.with_traceback(None))
            context.problem(f"{question.label}: {error}")
    if not payloads and failed:
        raise failed[0]
    return payloads


def _answers(manifest: Manifest, context: FetchContext, question: Question, lookups: Mapping[str, Any]) -> Iterator[Payload]:
    request = _request(manifest, context, question.request, question.variables)
    for number, answer in enumerate(pages(context.http, request, question.request.get("paging")), start=1):
        content = enveloped(manifest, question.name, answer.content, question.variables, lookups)
        yield Payload(f"{question.label}/{number:04}", answer.url, content, utc_now(), answer.status, answer.etag)


def _looked_up(
    manifest: Manifest, context: FetchContext, lookups: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]
) -> dict[str, Any]:
    """The answers to what is looked up: of one that has `paging` a list of its pages."""
    found: dict[str, Any] = {}
    for name, lookup in lookups.items():
        what = ", ".join([manifest.name, name, *variables.values()])
        try:
            answers = pages(context.http, _request(manifest, context, lookup, variables), lookup.get("paging"))
            documents = [read_json(answer.content, what) for answer in answers]
        except OfflineError:
            raise
        except (SourceError, ParseError) as error:
            if not lookup.get("optional"):
                raise
            context.problem(f"{what}: {error}")
            continue
        found[name] = documents if "paging" in lookup else documents[0]
    return found


def _request(manifest: Manifest, context: FetchContext, asked: Mapping[str, Any], variables: Mapping[str, str]) -> Request:
    body = {"query": asked["graphql"]} if "graphql" in asked else asked.get("json")
    secret_params, secret_headers = _secrets(manifest, context)
    return Request(
        _filled(context.base_url, variables) + _filled(asked["path"], variables),
        [(name, _filled(value, variables)) for name, value in asked.get("params", {}).items()],
        asked.get("method", "POST" if body is not None or "form" in asked else "GET"),
        json=body,
        form=asked.get("form"),
        headers=asked.get("headers", {}),
        secret_params=secret_params,
        secret_headers=secret_headers,
    )


def _filled(text: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        text = text.replace("{" + name + "}", value)
    return text


def _secrets(manifest: Manifest, context: FetchContext) -> tuple[list[tuple[str, str]], dict[str, str]]:
    declared = manifest.document.get("credential")
    values = [context.credentials[v] for v in declared["variables"] if v in context.credentials] if declared else []
    if declared is None or len(values) < len(declared["variables"]):
        return [], {}
    if declared["as"] == "param":
        return [(declared["name"], values[0])], {}
    if declared["as"] == "header":
        return [], {declared["name"]: values[0]}
    if declared["as"] == "bearer":
        return [], {"Authorization": f"Bearer {values[0]}"}
    return [], {"Authorization": "Basic " + base64.b64encode(":".join(values).encode()).decode()}


def enveloped(
    manifest: Manifest,
    request: str,
    body: bytes,
    variables: Mapping[str, str] | None = None,
    lookups: Mapping[str, Any] | None = None,
) -> bytes:
    """An answer as it is stored: behind a line that says what was asked, where it does not say so itself."""
    if not manifest.is_enveloped:
        return body
    line = {"request": request, "variables": dict(variables or {}), "lookups": lookups or {}}
    return json.dumps(line, sort_keys=True, default=str).encode() + b"\n" + body


def parse(manifest: Manifest, content: bytes) -> pl.DataFrame:
    """One row of raw table `offer` per record and offer. Raises ParseError."""
    return parser(manifest.name)(lambda body: _parsed(manifest, body))(content)


def _parsed(manifest: Manifest, content: bytes) -> pl.DataFrame:
    what, asked = manifest.name, manifest.document["requests"][0]["name"]
    variables: Mapping[str, str] = {}
    lookups: Mapping[str, Any] = {}
    if manifest.is_enveloped:
        line, _, body = content.partition(b"\n")
        envelope = _envelope(line)
        if envelope is not None:
            asked, variables, lookups = envelope["request"], envelope.get("variables") or {}, envelope.get("lookups") or {}
            content = body
        elif manifest.asks_in_several_ways:
            raise ParseError(f"{what}: the first line does not say what was asked")
        # Else it was stored before anything was looked up beside it.
        what = f"{what}, {asked}"
    reading = manifest.reading(asked)
    document = read_json(content, what)
    if "graphql" in reading and isinstance(document, dict) and document.get("errors"):
        raise ParseError(f"{what}: the service answers with errors: {as_text(document['errors'])}")
    found = _records(document, reading, what)
    tables = {name: _by_key(manifest.document["lookups"][name], answer) for name, answer in lookups.items()}
    named = {"_with": variables, "_lookup": tables, "_answer": document}
    chosen = [item for record in found for item in _items(record, reading, named) if _holds(item, reading.get("where", ()))]
    # What does not depend on the element of `each` is one offer, however many elements there are.
    rows = [dict(row) for row in dict.fromkeys(tuple(row.items()) for item in chosen for row in _rows(item, reading))]
    if not chosen and not manifest.asks_in_several_ways and "paging" not in reading:
        raise ParseError(f"{what}: none of {len(found)} records is an offer; expected at least one")
    if chosen and not rows:
        raise ParseError(f"{what}: {len(chosen)} records without an amount; expected at least one of them to have a price")
    _refuse_lost_fields(rows, reading, what)
    return offers(rows)


def _envelope(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("request"), str) else None


def _records(document: Any, reading: Mapping[str, Any], what: str) -> list[Any]:
    found = search(reading["records"], document) if "records" in reading else document
    if isinstance(found, dict):
        found = [{**value, "_key": key} for key, value in found.items() if isinstance(value, dict)]
    if not isinstance(found, list):
        raise ParseError(f"{what}: {reading.get('records', 'the answer')} is {type(found).__name__}, expected a list or an object")
    return [record for record in found if isinstance(record, dict)]


def _items(record: dict[str, Any], reading: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    named = {**record, **named}
    each = search(reading["each"], named) if "each" in reading else None
    if isinstance(each, dict):
        each = [{**value, "_key": key} if isinstance(value, dict) else {"_key": key, "_value": value} for key, value in each.items()]
    if isinstance(each, list) and each:
        yield from ({**named, "_each": element} for element in each)
    else:
        yield {**named, "_each": None}


def _holds(item: Mapping[str, Any], conditions: Iterable[Mapping[str, str]]) -> bool:
    for condition in conditions:
        text = as_text(search(condition["path"], item)) or ""
        if "matches" in condition and not re.search(condition["matches"], text):
            return False
        if "matches_not" in condition and re.search(condition["matches_not"], text):
            return False
    return True


def _rows(item: Mapping[str, Any], reading: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for offer in reading["offers"]:
        if "when" in offer and not search(offer["when"], item):
            continue
        row = {name: _value(spec, item) for name, spec in {**reading["row"], **offer}.items() if name != "when"}
        if row.get("native_amount") is not None:
            yield row


def _value(spec: Any, item: Mapping[str, Any]) -> str | None:
    if isinstance(spec, str):
        return as_text(search(spec, item))
    if "value" in spec:
        return as_text(spec["value"])
    text = as_text(_found(spec, item))
    if text is not None and "match" in spec:
        matched = re.search(spec["match"], text)
        text = next((group for group in matched.groups() if group is not None), None) if matched else None
    if text is not None and "words" in spec:
        words = COUNTRIES if spec["words"] == "countries" else spec["words"]
        text = words.get(text, text)
    if text is not None and ("times" in spec or "divided_by" in spec):
        divisor = as_text(search(spec["divided_by"], item)) if "divided_by" in spec else "1"
        text = _scaled(text, spec.get("times", "1"), divisor)
    if text is not None and "less_percent" in spec:
        percent = number_of(as_text(search(spec["less_percent"], item)))
        # A discount in words is one to ask for: no offer yet.
        text = None if percent is None else _scaled(text, str(100 - percent), "100")
    return text


def _found(spec: Mapping[str, str], item: Mapping[str, Any]) -> Any:
    found = search(spec["path"], item)
    if "at" in spec:
        key = as_text(search(spec["at"], item))
        found = found.get(key) if isinstance(found, dict) else None
    if "field" in spec:
        found = search(spec["field"], found)
    return search(spec["else"], item) if found is None and "else" in spec else found


def _scaled(text: str, times: str, divisor: str | None) -> str | None:
    """The amount times a factor by a divisor, exact to 8 decimals; what is no number, or for less than none, stays as text, for the rules
    to find.
    """
    by = number_of(divisor)
    if not by:
        return None
    amount = number_of(text)
    if amount is None:
        return text
    if by < 0:
        return f"{text} for {divisor}"
    with localcontext(prec=60):
        try:
            return format((amount * Decimal(times) / by).quantize(_AMOUNT_DIGITS).normalize(), "f")
        except InvalidOperation:
            return text


def _refuse_lost_fields(rows: list[dict[str, Any]], reading: Mapping[str, Any], what: str) -> None:
    """A service that renamed a field says nothing wrong: a column that its manifest reads would just be NULL everywhere."""
    for name in ("provider", "sku", "region", "gpu_as_named", "gpu_count_stated", "currency", "price_unit"):
        spec = reading["row"].get(name)
        may_be_absent = isinstance(spec, dict) and ("match" in spec or "value" in spec)
        if spec and not may_be_absent and rows and all(row.get(name) is None for row in rows):
            raise ParseError(f"{what}: {name} is in none of {len(rows)} rows; expected it at {spec!r}")


def _by_key(lookup: Mapping[str, Any], answer: Any) -> dict[str, Any]:
    """What was looked up, by key: a list whose items say theirs at `key`, or an object as it is; over all pages."""
    by_key: dict[str, Any] = {}
    for document in answer if "paging" in lookup and isinstance(answer, list) else [answer]:
        found = search(lookup["records"], document)
        if isinstance(found, dict):
            by_key |= found
        elif isinstance(found, list) and "key" in lookup:
            by_key |= {as_text(search(lookup["key"], item)) or "": item for item in found}
    return by_key
