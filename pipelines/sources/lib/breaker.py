"""What the sources of one run share: whether there is a network, how long the run may still wait, how many ask one host at once.

Belongs here: state of a run that several sources' requests look at. Does not belong here: the requests (`http`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.sources.lib.errors import OfflineError, SourceError

_HOSTS_TO_OPEN = 3
_REQUESTS_PER_HOST = 4
# A host that nobody could connect to so often is not tried again in this run.
_FAILURES_PER_HOST = 2
# All waiting of a run together: with what follows it stays below five minutes whatever the services do.
_RUN_SECONDS = 240.0


class Breaker:
    """Shared by the sources of a run: after connection errors from three hosts and no answer at all, nothing more is tried.

    Any answer from anywhere settles that there is a network, for the rest of the run. After `run_seconds` no request is made any
    more. Hosts that the settings name (`named`: a mirror, a proxy) may stand where no other is reached, so they are tried in any case
    unless fetching is switched off. Safe to use from several threads.
    """

    def __init__(self, *, offline: bool = False, run_seconds: float = _RUN_SECONDS, named: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._answered_hosts: set[str] = set()
        self._answered = False
        self._open = offline
        self._named = frozenset() if offline else frozenset(named)
        self._reason = "fetching is switched off (offline)" if offline else "no network: no host could be reached"
        self._run_seconds, self._end = run_seconds, time.monotonic() + run_seconds
        self._at_host: dict[str, threading.BoundedSemaphore] = {}

    @property
    def has_answered(self) -> bool:
        """True once any host has answered."""
        return self._answered

    def before(self, host: str) -> None:
        """Raise OfflineError where there is no network, SourceError where the run has waited long enough."""
        if self._open and host not in self._named:
            raise OfflineError(f"{host} was not tried: {self._reason}")
        if self.is_out_of_reach(host):
            raise OfflineError(f"{host} was not tried again: it could not be reached {_FAILURES_PER_HOST} times")
        if time.monotonic() >= self._end:
            raise SourceError(f"{host} was not tried: the run has waited {self._run_seconds:.0f} s for its sources")

    def affordable(self, seconds: float) -> float:
        """So many of these seconds as the run may still wait."""
        return max(0.0, min(seconds, self._end - time.monotonic()))

    @contextmanager
    def at_host(self, host: str) -> Iterator[None]:
        """Room for one of at most four requests at once at a host. Raises SourceError where the run ends before there is some."""
        with self._lock:
            room = self._at_host.setdefault(host, threading.BoundedSemaphore(_REQUESTS_PER_HOST))
        if not room.acquire(timeout=self.affordable(self._run_seconds)):
            raise SourceError(f"{host} was not tried: {_REQUESTS_PER_HOST} requests were still waiting for it")
        try:
            yield
        finally:
            room.release()

    def is_out_of_reach(self, host: str) -> bool:
        """True where connections to a host failed and none was ever made."""
        return host not in self._answered_hosts and self._failures.get(host, 0) >= _FAILURES_PER_HOST

    def answered(self, host: str | None = None) -> None:
        """Note that a host answered, whatever it said."""
        self._answered = True
        if host is not None:
            self._answered_hosts.add(host)

    def unreachable(self, host: str) -> None:
        """Note that a connection to a host failed."""
        with self._lock:
            self._failures[host] = self._failures.get(host, 0) + 1
            if not self._answered and len(self._failures) >= _HOSTS_TO_OPEN:
                self._open = True

    def give_up(self) -> None:
        """Open at once, where waiting any longer for a first answer makes no sense."""
        if not self._answered:
            self._open = True
