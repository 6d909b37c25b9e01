"""Changes to the bytes of an answer, as faults on the way and services that change make them.

Belongs here: one change at a time, drawn from a generator. Does not belong here: which parser gets it, what is a finding.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

# What a value may turn into and still be one for a reader of JSON: other kinds, ends of ranges, other alphabets.
VALUES = (
    *(b"null", b"true", b'""', b"[]", b"{}", b"[[]]", b'[{"a":[{}]}]', b"NaN", b"Infinity", b"-1", b"0", b"-0.0", b"1e308", b"1e999"),
    *(b"0.1e-400", b"1.00000000000000000000000001", b"9" * 40, b"-9223372036854775809", b'"9,99"', b'"1.5"', b'"2026-02-30"'),
    *(b'"0000-00-00"', b'"99999-01-01T00:00:00Z"', b'"\\ud800"', b'"\\u0000"', b'"' + b"x" * 3000 + b'"', '"\u0661\u0662"'.encode()),
)
# What breaks the form itself, or begins another.
SYNTAX = (
    *(b",", b";", b"\n", b"\r", b'"', b"'", b"\\", b"[" * 2000, b"{" * 2000, b"<a>" * 500, b"<!--", b"]]>", b"&#0;"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b"PK\x03\x04", b"\x1f\x8b\x08"),
)
_VALUE = re.compile(rb'"(?:[^"\\]|\\.){0,200}"|-?\d+(?:\.\d+)?|true|false|null')


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The answer with one to four changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = draw.choice(_CHANGES)(content, draw)
    return content


def _flipped(content: bytes, draw: random.Random) -> bytes:
    at = _place(content, draw)
    return content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: _place(content, draw)]


def _lost(content: bytes, draw: random.Random) -> bytes:
    at = _place(content, draw)
    return content[:at] + content[at + draw.randrange(1, 200) :]


def _repeated(content: bytes, draw: random.Random) -> bytes:
    at = _place(content, draw)
    part = content[at : at + draw.randrange(1, 400)]
    return content[:at] + part * draw.randrange(2, 5) + content[at + len(part) :]


def _inserted(content: bytes, draw: random.Random) -> bytes:
    at = _place(content, draw)
    return content[:at] + draw.choice(SYNTAX) + content[at:]


def _replaced(content: bytes, draw: random.Random) -> bytes:
    # From a random place on: to list all values of a long answer would cost more than to parse it.
    found = _VALUE.search(content, _place(content, draw))
    if found is None:
        return content
    is_name = content[found.end() : found.end() + 3].lstrip()[:1] == b":"
    return content[: found.start()] + (b'"renamed"' if is_name else draw.choice(VALUES)) + content[found.end() :]


def _swapped(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _place(content: bytes, draw: random.Random) -> int:
    return draw.randrange(len(content) + 1)


# Half of all changes leave JSON readable: else most inputs would come no further than its reader.
_BREAKING = (_flipped, _cut, _lost, _repeated, _inserted, _swapped)
_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (*_BREAKING, *[_replaced] * 9)
