"""A credential is taken out of text in every form that it comes in, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.platform.secrets import holds_secret, redacted, secrets_of

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY=\"é'"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.urlencode({"a": SECRET}),
        json.dumps({"a": SECRET}),
        repr({"a": SECRET}),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        *(base64.b64encode(b"u" * n + b":" + SECRET.encode() + b"!" * m).decode() for n in range(3) for m in range(3)),
    ],
)
def test_it_is_found_in_every_form(written: str) -> None:
    said = redacted(f"https://example.org/?a={written}&b=1", [SECRET])
    assert "***" in said and "FEMI" not in said and "b=1" in said
    assert holds_secret(f"<a>{written}</a>".encode(), [SECRET])
    left = base64.b64encode(SECRET.encode()).decode()[4:-4]
    assert left not in said


@given(st.text(max_size=200))
def test_other_text_stays_as_it_is(text: str) -> None:
    if not any(c in text for c in "wJal"):
        assert redacted(text, [SECRET]) == text and redacted(text, []) == text and redacted(text, ["short"]) == text


def test_which_variables_are_secret() -> None:
    environment = {
        "AWS_SESSION_TOKEN": "x" * 20,
        "GCP_API_KEY": "y" * 20,
        "BREAKEVEN_ALERT_URLS": "mailto://me:password@host",
        "SHORT_KEY": "1",
        "PATH": "/usr/bin:/bin",
    }
    assert secrets_of(environment) == ["x" * 20, "y" * 20, "mailto://me:password@host"]
