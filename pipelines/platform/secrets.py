"""Credentials: which values of the environment are some, and taking them out of text in every form that they come in.

Belongs here: recognising and redacting. Does not belong here: which source needs which credential (each source says so).
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "ALERT_URLS")
# A shorter value is no secret, and would be found in any text.
_SHORTEST = 8
_MASK = "***"


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """Values of variables whose name says that they are secret."""
    return [value for name, value in environment.items() if len(value) >= _SHORTEST and any(w in name.upper() for w in _SECRET_WORDS)]


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the secrets, however they are written in it."""
    for form in _all_forms(secrets):
        text = text.replace(form, _MASK)
    return text


def holds_secret(content: bytes, secrets: Iterable[str]) -> bool:
    """Whether bytes have one of the secrets in them, however it is written."""
    return any(form.encode() in content for form in _all_forms(secrets))


def _all_forms(secrets: Iterable[str]) -> list[str]:
    # The longest first, or a part of one would be left beside the mask.
    return sorted({form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}, key=lambda form: (-len(form), form))


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode()
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1])
    yield from (html.escape(secret), html.escape(secret, quote=False), raw.hex(), raw.hex().upper())
    for offset in range(3):
        # Within something longer, such as `user:secret` of basic authentication: what does not depend on its neighbours.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inner = encode(b"\0" * offset + raw).decode().rstrip("=")
            yield inner[(offset * 8 + 5) // 6 : len(inner) - (1 if (offset + len(raw)) % 3 else 0)]
