"""How many examples a property test tries: few in the daily run, ten times as many in the nightly profile."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def examples(count: int) -> settings:
    """Settings of a test that tries `count` examples in the lean profile, and in another as many more as that asks for."""
    asked: int = settings.default.max_examples if settings.default is not None else _USUAL
    return settings(max_examples=max(1, count * asked // _USUAL), deadline=None)
