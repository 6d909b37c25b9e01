"""Sending: to the log always, and to every address that the operator set, through apprise.

Belongs here: addresses and delivery. Does not belong here: what is worth a message (`events`). Addresses hold tokens and passwords:
they come from the environment, and no log or error shows more of them than their scheme.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from pipelines.monitoring.events import Message
from pipelines.platform.text import fit_to_show

log = logging.getLogger("breakeven")

# Separated by blanks, such as `mailtos://user:password@example.org?to=ops@example.org slack://a/b/c jsons://hooks.example.org/x`.
URLS_VARIABLE = "BREAKEVEN_ALERT_URLS"
_LONGEST_TITLE, _LONGEST_BODY = 200, 2_000


class AlertError(Exception):
    """An address cannot be used; the message says which by its place and scheme, never the address itself."""


def send(message: Message, environment: Mapping[str, str], *, is_over: bool = False) -> list[str]:
    """Log a message and send it everywhere; give the schemes of the addresses that did not take it. Raises AlertError."""
    # One line, in a log too.
    title = f"Breakeven: {'over: ' if is_over else ''}{fit_to_show(message.title, _LONGEST_TITLE)}"
    body = "\n".join(fit_to_show(line, _LONGEST_BODY) for line in message.body.splitlines())
    log.log(logging.INFO if is_over else logging.WARNING, "alert  %s: %s", title, body.replace("\n", " "))
    urls = environment.get(URLS_VARIABLE, "").split()
    if not urls:
        return []
    import apprise  # noqa: PLC0415  (takes a while to import; only those who set an address need it)

    # Their log lines show addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    failed = []
    for place, url in enumerate(urls, 1):
        target = apprise.Apprise()
        if not target.add(url):
            raise AlertError(f"{URLS_VARIABLE}: address {place} ({_scheme(url)}) is not one that apprise knows")
        if not target.notify(title=title, body=body, notify_type="success" if is_over else "warning"):
            failed.append(_scheme(url))
            log.warning("alert  not delivered to address %d of %s (%s)", place, URLS_VARIABLE, _scheme(url))
    return failed


def _scheme(url: str) -> str:
    return fit_to_show(urlsplit(url).scheme or "no scheme", 20)
