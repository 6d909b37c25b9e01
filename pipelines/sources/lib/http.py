"""HTTP for all sources: bounded in size and time, patient with busy servers, quick to notice that there is no network.

Belongs here: requests, retries, redirects, caps, secrets. Does not belong here: what a run's sources share (`breaker`), how a list goes
on (`paging`), what any answer means.
"""

from __future__ import annotations

import math
import queue
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from pipelines.platform.clock import utc_now
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.breaker import Breaker
from pipelines.sources.lib.errors import OfflineError, SourceError

__all__ = ["Breaker", "HttpClient", "HttpStatusError", "Request", "Response", "same_host"]

CONNECT_TIMEOUT_SECONDS = 5.0
USER_AGENT = "breakeven/0.1 (open pricing warehouse; one visit a day)"
_TRIES = 5
_RETRIED_STATUSES = (429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_WAIT_SECONDS = 60.0
_CHUNK_BYTES = 1 << 16
_MAX_REDIRECTS = 5
_MAX_HEADER_BYTES = 1 << 16
_MAX_ETAG = 256
_GZIP_WINDOW = 31
_PIECE_BYTES = 1 << 20
_MAX_STREAMED_BYTES = 2 << 30


class HttpStatusError(SourceError):
    """The server answered with a status that is no success; `retry_after_seconds` is what it asked for, if anything."""

    def __init__(self, message: str, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class _Lost(Exception):
    """The answer did not arrive whole; worth another try."""


@dataclass(frozen=True)
class Request:
    """One question: GET, or POST with JSON (`json`, which GraphQL is too) or a form. Secrets are sent and shown nowhere."""

    url: str
    params: Sequence[tuple[str, str]] = ()
    method: str = "GET"
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_params: Sequence[tuple[str, str]] = ()
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    # For a file too long to be stored: made anew for each try, it is given piece after piece, then b"", and gives what is kept of them.
    keep: Callable[[], Callable[[bytes], bytes]] | None = None
    # Where a redirect led here, what was asked first: the address of a redirect may hold a signature.
    asked_first: str | None = None

    @property
    def shown(self) -> str:
        """The address without secrets, as it may be stored and printed."""
        if self.asked_first is not None:
            return self.asked_first
        query = "&".join(f"{name}={value}" for name, value in self.params)
        return f"{self.url}{'&' if '?' in self.url else '?'}{query}" if query else self.url


@dataclass(frozen=True)
class Response:
    """An answer with status 200..299. `url` is what was asked, without its secrets."""

    url: str
    status: int
    content: bytes
    etag: str | None
    headers: Mapping[str, str]


class HttpClient:
    """Requests of one source. Safe to use from several threads: each keeps its own session.

    `hosts`: those that a redirect may lead to besides the one that was asked. `pause_seconds`: from one answer to the next question,
    where a service minds bursts. One request, with all that arrives, takes at most
    `timeout_seconds`; `max_bytes` counts what an answer unpacks to.
    """

    def __init__(
        self,
        *,
        breaker: Breaker,
        timeout_seconds: float,
        max_bytes: int,
        hosts: Iterable[str] = (),
        pause_seconds: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.breaker, self._timeout, self._max_bytes, self._sleep = breaker, timeout_seconds, max_bytes, sleep
        self._hosts, self._pause, self._has_asked = frozenset(hosts), pause_seconds, False

    def get(self, url: str, params: Sequence[tuple[str, str]] = (), *, secret_params: Sequence[tuple[str, str]] = ()) -> Response:
        """GET without a body; see `send`."""
        return self.send(Request(url, params, secret_params=secret_params))

    def send(self, request: Request) -> Response:
        """Ask, and read the whole answer.

        Raises HttpStatusError, OfflineError, SourceError; 429, 5xx, timeouts and lost connections are tried again first.
        """
        parts = urlsplit(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(f"{request.shown}: expected an http or https address")
        if self._pause and self._has_asked:
            self._sleep(self.breaker.affordable(self._pause))
        self._has_asked = True
        for attempt in range(1, _TRIES + 1):
            self.breaker.before(parts.hostname)
            last = attempt == _TRIES
            try:
                with self.breaker.at_host(parts.hostname):
                    return self._following(request)
            except HttpStatusError as error:
                if last or error.status not in _RETRIED_STATUSES:
                    raise
                wait = error.retry_after_seconds
            except (requests.RequestException, HTTPError, _Lost) as error:
                if isinstance(error, (requests.ConnectionError, requests.Timeout)) and not isinstance(error, requests.ReadTimeout):
                    self.breaker.unreachable(parts.hostname)
                # Before anything has answered, a second try would only delay the finding that there is no network.
                if last or not self.breaker.has_answered or self.breaker.is_out_of_reach(parts.hostname):
                    raise OfflineError(f"{parts.hostname}: {type(error).__name__.strip('_')} after {attempt} of {_TRIES} tries") from None
                wait = None
            self._sleep(self.breaker.affordable(wait if wait is not None else _backoff_seconds(attempt)))
        raise AssertionError("unreachable: the last try returns or raises")

    def _following(self, request: Request) -> Response:
        deadline = time.monotonic() + self.breaker.affordable(self._timeout)
        asked = request
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._within(deadline, asked)
            if isinstance(answer, Response):
                return answer
            asked = self._redirected(request, asked, *answer)
        raise SourceError(f"{request.shown}: more than {_MAX_REDIRECTS} redirects")

    def _redirected(self, request: Request, asked: Request, status: int, location: str) -> Request:
        """Where a redirect leads: the same host, or one that the source names, which is told no secret. Raises SourceError."""
        target, here = urlsplit(urljoin(asked.url, location)), urlsplit(asked.url)
        same = (target.scheme, target.netloc) == (here.scheme, here.netloc)
        named = target.scheme == "https" and target.hostname in self._hosts
        if not (same or named) or asked.method != "GET":
            raise SourceError(
                f"{request.shown}: status {status} leads to {fit_to_show(target.scheme)}://{fit_to_show(target.hostname)}, not followed"
            )
        secrets = asked.secret_headers if same else {}
        return Request(urlunsplit(target), headers=asked.headers, secret_headers=secrets, asked_first=request.shown, keep=asked.keep)

    def _within(self, deadline: float, request: Request) -> Response | tuple[int, str]:
        """One exchange in a thread of its own: neither a name that is looked up nor headers that drip can hold us longer."""
        done: queue.SimpleQueue[Response | tuple[int, str] | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                done.put(self._exchange(deadline, request))
            except Exception as error:  # noqa: BLE001  (handed to the thread that waits)
                done.put(error)

        threading.Thread(target=work, name="request", daemon=True).start()
        try:
            found = done.get(timeout=max(deadline - time.monotonic(), 0.01) + 0.5)
        except queue.Empty:
            found = _too_slow(request, self._timeout)
        if isinstance(found, Exception):
            raise found
        return found

    def _exchange(self, deadline: float, request: Request) -> Response | tuple[int, str]:
        left = max(deadline - time.monotonic(), 0.01)
        with (
            requests.Session() as session,
            session.request(
                request.method,
                request.url,
                params=[*request.params, *request.secret_params],
                json=request.json,
                data=request.form,
                headers={
                    "User-Agent": USER_AGENT,
                    "Accept-Encoding": "gzip",
                    **request.headers,
                    **request.secret_headers,
                },
                timeout=(min(CONNECT_TIMEOUT_SECONDS, left), left),
                stream=True,
                allow_redirects=False,
            ) as answer,
        ):
            self.breaker.answered(urlsplit(request.url).hostname)
            if sum(len(name) + len(value) for name, value in answer.headers.items()) > _MAX_HEADER_BYTES:
                raise SourceError(f"{request.shown}: more than {_MAX_HEADER_BYTES:,} bytes of headers")
            location = answer.headers.get("Location")
            if answer.status_code in _REDIRECTS and location:
                return answer.status_code, location
            if answer.status_code >= 300:
                wait = _retry_after_seconds(answer.headers.get("Retry-After"))
                raise HttpStatusError(f"{request.shown}: status {answer.status_code}, expected 200", answer.status_code, wait)
            content = self._body(answer, deadline, request)
            etag = answer.headers.get("ETag")
            kept = etag if etag is not None and len(etag) <= _MAX_ETAG else None
            return Response(request.shown, answer.status_code, content, kept, dict(answer.headers))

    def _body(self, answer: requests.Response, deadline: float, request: Request) -> bytes:
        """What is kept of what the answer unpacks to, piece by piece: nothing can grow beyond its cap before it is counted."""
        content, unpacked = bytearray(), 0
        keep = request.keep() if request.keep is not None else None
        largest = self._max_bytes if keep is None else _MAX_STREAMED_BYTES
        try:
            for piece in self._pieces(answer, deadline, request):
                unpacked += len(piece)
                content += piece if keep is None else keep(piece)
                if unpacked > largest or len(content) > self._max_bytes:
                    raise SourceError(f"{request.shown}: more than {min(largest, self._max_bytes):,} bytes; the answer is not read further")
            if keep is not None:
                content += keep(b"")
            return bytes(content)
        except BaseException:
            # Who keeps the error keeps this frame: a source of fifty regions would hold fifty answers that were too long.
            content.clear()
            raise

    def _pieces(self, answer: requests.Response, deadline: float, request: Request) -> Iterator[bytes]:
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise SourceError(f"{request.shown}: Content-Encoding is {fit_to_show(encoding)}, expected gzip or none")
        unzip = zlib.decompressobj(_GZIP_WINDOW) if encoding == "gzip" else None
        received = 0
        # `read1` gives what has arrived: a slow drip is seen drop by drop.
        while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=False):
            received += len(chunk)
            if time.monotonic() > deadline:
                raise _too_slow(request, self._timeout)
            if unzip is None:
                yield chunk
                continue
            while chunk:
                try:
                    yield unzip.decompress(chunk, _PIECE_BYTES)
                except zlib.error as error:
                    raise _Lost(str(error)) from None
                chunk = unzip.unconsumed_tail
        expected = answer.headers.get("Content-Length", "")
        if (expected.isdecimal() and received != int(expected)) or (unzip is not None and not unzip.eof):
            raise _Lost("the answer ended early")


def same_host(link: str, base_url: str) -> str:
    """A link that an answer gave, on the configured host: path and query of the link, scheme and host of `base_url`.

    So a test server or a proxy stays in use, and an answer cannot send us elsewhere.
    """
    try:
        given, base = urlsplit(link), urlsplit(base_url)
    except ValueError:
        raise SourceError(f"a link is {fit_to_show(link)}, expected an address") from None
    return urlunsplit((base.scheme, base.netloc, given.path, given.query, ""))


def _too_slow(request: Request, seconds: float) -> SourceError:
    return SourceError(f"{request.shown}: not finished after {seconds:.0f} s; the answer is not read further")


def _backoff_seconds(attempt: int) -> float:
    # Full jitter, so that sources that were refused together do not come back together.
    return random.uniform(0.5, 1.0) * min(2.0**attempt, 30.0)  # noqa: S311  (not for secrets)


def _retry_after_seconds(header: str | None) -> float | None:
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header).replace(tzinfo=None) - utc_now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None
