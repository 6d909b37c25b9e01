"""HTTP for all sources: bounded in size and time, patient with busy servers, quick to notice that there is no network.

Belongs here: requests, retries, caps, the breaker that a run's sources share. Does not belong here: what any source's answers mean.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

import requests

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.errors import OfflineError, SourceError

CONNECT_TIMEOUT_SECONDS = 5.0
USER_AGENT = "breakeven/0.1 (open pricing warehouse; one visit a day)"
_TRIES = 5
_RETRIED_STATUSES = (429, 500, 502, 503, 504)
_LONGEST_WAIT_SECONDS = 60.0
_HOSTS_TO_OPEN = 3
_CHUNK_BYTES = 1 << 16
_MAX_REDIRECTS = 5


class HttpStatusError(SourceError):
    """The server answered with a status that is no success; `retry_after_seconds` is what it asked for, if anything."""

    def __init__(self, message: str, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class Breaker:
    """Shared by the sources of a run: after connection errors from three hosts and no answer at all, nothing more is tried.

    Any answer from anywhere settles that there is a network, for the rest of the run. Safe to use from several threads.
    """

    def __init__(self, *, offline: bool = False) -> None:
        self._lock = threading.Lock()
        self._unreachable: set[str] = set()
        self._answered = False
        self._open = offline
        self._reason = "fetching is switched off (offline)" if offline else "no network: no host could be reached"

    @property
    def has_answered(self) -> bool:
        """True once any host has answered."""
        return self._answered

    def before(self, host: str) -> None:
        """Raise OfflineError where nothing should be tried any more."""
        if self._open:
            raise OfflineError(f"{host} was not tried: {self._reason}")

    def answered(self) -> None:
        """Note that a host answered, whatever it said."""
        self._answered = True

    def unreachable(self, host: str) -> None:
        """Note that a connection to a host failed."""
        with self._lock:
            self._unreachable.add(host)
            if not self._answered and len(self._unreachable) >= _HOSTS_TO_OPEN:
                self._open = True

    def give_up(self) -> None:
        """Open at once, where waiting any longer for a first answer makes no sense."""
        if not self._answered:
            self._open = True


@dataclass(frozen=True)
class Response:
    """An answer with status 200..299. `url` is what was asked, without its secret parameters."""

    url: str
    status: int
    content: bytes
    etag: str | None
    headers: Mapping[str, str]


class HttpClient:
    """Requests of one source. Safe to use from several threads: each keeps its own session."""

    def __init__(
        self,
        *,
        breaker: Breaker,
        timeout_seconds: float,
        max_bytes: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.breaker, self._timeout, self._max_bytes, self._sleep = breaker, timeout_seconds, max_bytes, sleep
        self._local = threading.local()

    def get(self, url: str, params: Sequence[tuple[str, str]] = (), *, secret_params: Sequence[tuple[str, str]] = ()) -> Response:
        """GET. `secret_params` are sent, but stand in no error and in no stored address.

        Raises HttpStatusError, OfflineError, SourceError; 429, 5xx, timeouts and lost connections are tried again first.
        """
        shown = _shown(url, params)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(f"{shown}: expected an http or https address")
        for attempt in range(1, _TRIES + 1):
            self.breaker.before(parts.hostname)
            last = attempt == _TRIES
            try:
                return self._once(url, [*params, *secret_params], shown)
            except HttpStatusError as error:
                if last or error.status not in _RETRIED_STATUSES:
                    raise
                wait = error.retry_after_seconds
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                kind = type(error).__name__
                if not isinstance(error, (requests.ReadTimeout, requests.exceptions.ChunkedEncodingError)):
                    self.breaker.unreachable(parts.hostname)
                # Before anything has answered, a second try would only delay the finding that there is no network.
                if last or not self.breaker.has_answered:
                    raise OfflineError(f"{parts.hostname}: {kind} after {attempt} of {_TRIES} tries") from None
                wait = None
            self._sleep(wait if wait is not None else _backoff_seconds(attempt))
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(self, url: str, params: Sequence[tuple[str, str]], shown: str) -> Response:
        deadline = time.monotonic() + self._timeout
        with self._session().get(
            url,
            params=list(params),
            timeout=(CONNECT_TIMEOUT_SECONDS, self._timeout),
            stream=True,
        ) as answer:
            self.breaker.answered()
            if answer.status_code >= 300:
                wait = _retry_after_seconds(answer.headers.get("Retry-After"))
                raise HttpStatusError(f"{shown}: status {answer.status_code}, expected 200", answer.status_code, wait)
            content = bytearray()
            for chunk in answer.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._max_bytes:
                    raise SourceError(f"{shown}: more than {self._max_bytes:,} bytes; the answer is not read further")
                if time.monotonic() > deadline:
                    raise SourceError(f"{shown}: not finished after {self._timeout:.0f} s; the answer is not read further")
            expected = answer.headers.get("Content-Length")
            if expected and not answer.headers.get("Content-Encoding") and len(content) != int(expected):
                raise requests.ConnectionError("the answer ended early")
            return Response(shown, answer.status_code, bytes(content), answer.headers.get("ETag"), dict(answer.headers))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.max_redirects = _MAX_REDIRECTS
            session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
            self._local.session = session
        return session


def same_host(link: str, base_url: str) -> str:
    """A link that an answer gave, on the configured host: path and query of the link, scheme and host of `base_url`.

    So a test server or a proxy stays in use, and an answer cannot send us elsewhere.
    """
    given, base = urlsplit(link), urlsplit(base_url)
    return urlunsplit((base.scheme, base.netloc, given.path, given.query, ""))


def _shown(url: str, params: Sequence[tuple[str, str]]) -> str:
    query = "&".join(f"{name}={value}" for name, value in params)
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


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
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
