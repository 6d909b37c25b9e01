"""How a list goes on over several answers: by page number, offset, cursor or link.

Belongs here: asking for the next page until there is none, and noticing a list that goes in circles. Does not belong here: one request
(`http`), what a page holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import jmespath
import requests

from pipelines.sources.lib.decode import as_text, read_json
from pipelines.sources.lib.errors import SourceError
from pipelines.sources.lib.http import HttpClient, Request, Response, same_host

_MAX_PAGES = 200


def pages(http: HttpClient, first: Request, paging: Mapping[str, Any] | None) -> Iterator[Response]:
    """Answers to `first` and to what follows it. Raises SourceError for a page that comes twice and for more than 200.

    `paging`: `by` page or offset (`param`, `first`, `size`, `size_param`, `items`: a path to the items that are counted; a page with
    fewer than `size` is the last), cursor (`param`, `next`: a path to the cursor) or link (`next`: a path to the address; without it
    the Link header).
    """
    if paging is None:
        yield http.send(first)
        return
    fixed = [*first.params, *([(paging["size_param"], str(paging["size"]))] if "size_param" in paging else [])]
    start = int(paging.get("first", 1 if paging["by"] == "page" else 0))
    seen: set[bytes] = set()
    request = replace(first, params=_with(fixed, paging, start) if paging["by"] in ("page", "offset") else fixed)
    for number in range(_MAX_PAGES):
        answer = http.send(request)
        digest = hashlib.sha256(answer.content).digest()
        if digest in seen:
            raise SourceError(f"{answer.url}: page {number + 1} is one that came before")
        seen.add(digest)
        yield answer
        following = _following(first, fixed, paging, start, number + 1, answer)
        if following is None:
            return
        request = following
    raise SourceError(f"{first.shown}: more than {_MAX_PAGES} pages")


def _following(
    first: Request, fixed: Sequence[tuple[str, str]], paging: Mapping[str, Any], start: int, pages_read: int, answer: Response
) -> Request | None:
    by = paging["by"]
    if by in ("page", "offset"):
        found = jmespath.search(paging["items"], read_json(answer.content, answer.url))
        if not isinstance(found, list | dict) or len(found) < paging["size"]:
            return None
        step = pages_read if by == "page" else pages_read * int(paging["size"])
        return replace(first, params=_with(fixed, paging, start + step))
    if by == "cursor":
        cursor = as_text(jmespath.search(paging["next"], read_json(answer.content, answer.url)))
        return replace(first, params=[*fixed, (paging["param"], cursor)]) if cursor else None
    link = _link(paging, answer)
    return replace(first, url=same_host(urljoin(first.url, link), first.url), params=()) if link else None


def _with(fixed: Sequence[tuple[str, str]], paging: Mapping[str, Any], value: int) -> list[tuple[str, str]]:
    return [*fixed, (paging["param"], str(value))]


def _link(paging: Mapping[str, Any], answer: Response) -> str | None:
    if "next" in paging:
        return as_text(jmespath.search(paging["next"], read_json(answer.content, answer.url)))
    links = requests.utils.parse_header_links(answer.headers.get("Link", answer.headers.get("link", "")))
    return next((str(link["url"]) for link in links if link.get("rel") == "next"), None)
