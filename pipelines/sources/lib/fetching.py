"""Fetching in the forms that most modules need: one answer, or several of which some may fail.

Belongs here: what a `fetch` of one line calls. Does not belong here: requests themselves (`http`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.errors import OfflineError, SourceError
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.source import FetchContext, Payload


def one_answer(context: FetchContext, name: str, path: str, params: Iterable[tuple[str, str]] = ()) -> list[Payload]:
    """The answer to a GET of `path` at the source's own address, as the only payload."""
    answer = context.http.send(Request(context.base_url + path, list(params)))
    return [Payload(name, answer.url, answer.content, utc_now(), answer.status, answer.etag)]


def each_answer(context: FetchContext, requests: Mapping[str, Request]) -> Iterator[Payload]:
    """The answers by name of payload; one that fails is a problem of its own. Raises SourceError where all fail."""
    failed: list[SourceError] = []
    for name, request in requests.items():
        try:
            answer = context.http.send(request)
        except OfflineError:
            raise
        except SourceError as error:
            failed.append(error.with_traceback(None))
            context.problem(f"{name}: {error}")
            continue
        yield Payload(name, answer.url, answer.content, utc_now(), answer.status, answer.etag)
    if failed and len(failed) == len(requests):
        raise failed[0]
