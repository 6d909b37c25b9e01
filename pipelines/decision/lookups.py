"""Values that are compared with a table are looked up in it first: a misspelt constraint would refuse everybody.

Belongs here: codes of countries that a constraint may name, tiers of trust, and the lists of known values in the words of an error. Does
not belong here: what a constraint refuses (`constraints`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipelines.decision.documents import WorkloadError
from pipelines.platform.text import fit_to_show
from pipelines.prices.iso_countries import COUNTRIES

# How far the operator of a machine is known; without a constraint only professional sellers answer.
TRUST_TIERS = ("datacenter", "secure", "community", "unverified")
PRECISIONS = ("fp8", "fp4", "bf16", "int4", "int8", "fp32")
PROFESSIONAL = frozenset({"datacenter", "secure"})
_MOST_MEANT = 5
_OTHER_NAMES = {"UK": "GB (United Kingdom)", "EL": "GR (Greece)", "EUROPE": "EU"}


def country_of(text: object) -> str:
    """The code if it is one of ISO 3166 or `EU`. Raises ValueError with what was probably meant."""
    if isinstance(text, bool):
        raise ValueError("expected a country's code; write one that YAML reads as yes or no in quotes, such as 'NO'")
    if isinstance(text, str) and (text in COUNTRIES or text == "EU"):
        return text
    meant = _OTHER_NAMES.get(str(text).upper()) or (str(text).upper() if str(text).upper() in COUNTRIES else None)
    raise ValueError("expected EU or a code of ISO 3166 such as FR, GB, NO" + (f"; write {meant}" if meant else ""))


def known_value(field: str, value: str, known: Iterable[str]) -> None:
    """Raises WorkloadError where a value is none of the known ones."""
    names = sorted(known)
    if value in names:
        return
    raise WorkloadError(
        f"{field} is {fit_to_show(repr(value))}, expected one of {', '.join(names) or 'none: no value is known'}{hint(value, names)}"
    )


def hint(value: str, known: Iterable[str]) -> str:
    """What was probably meant, to stand behind a message: the nearest known value, else all that begin so (`H100`); nothing else."""
    by_plain, asked = {_plain(name): name for name in known}, _plain(value[:200])
    near = difflib.get_close_matches(asked, by_plain, 1, 0.7)
    longer = sorted(name for plain, name in by_plain.items() if asked and plain.startswith(asked))
    meant = longer[:_MOST_MEANT] if len(longer) > 1 or not near else [by_plain[near[0]]]
    return f"; write {' or '.join(meant)}" if meant else ""


def _plain(text: str) -> str:
    return text.rpartition("/")[2].lower().replace("_", "").replace("-", "").replace(" ", "")
