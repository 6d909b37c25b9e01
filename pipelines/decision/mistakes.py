"""What is wrong with the fields of a workload, in words.

Belongs here: the sentence for each kind of mistake, with the field, the value and what was expected. Does not belong here: which fields
there are (`workload`), mistakes that no field has (`documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pipelines.decision.fields import Strict
from pipelines.decision.lookups import hint
from pipelines.decision.quotes import OWN_KINDS
from pipelines.platform.text import fit_to_show

MOST_SHOWN = 10
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no field here",
    "tuple_type": "expected a list, such as [a, b]",
    "model_type": "expected fields with values",
    "dict_type": "expected names with values",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text; write a number that is one in quotes",
    "string_too_short": "expected text",
    "string_too_long": "expected at most {max_length} characters",
    "int_from_float": "expected a whole number",
    "finite_number": "expected a finite number",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "invalid_key": "expected the name of a field",
}
# Of these the value is not shown: there is none, or it is of a field that is none of ours, and nobody's business.
_WITHOUT_VALUE = ("missing", "extra_forbidden", "invalid_key")


def in_words(error: ValidationError) -> str:
    """All mistakes of a file, as far as they are read."""
    found = error.errors()
    further = [f"and {len(found) - MOST_SHOWN:,} more"] if len(found) > MOST_SHOWN else []
    return "; ".join([*map(_sentence, found[:MOST_SHOWN]), *further])


def _sentence(error: Mapping[str, Any]) -> str:
    kind, place = error["type"], [str(part) for part in error["loc"] if part not in OWN_KINDS]
    limits = {name: f"{v:.15g}" if isinstance(v, float) else v for name, v in error.get("ctx", {}).items()}
    words = _WORDS[kind].format(**limits) if kind in _WORDS else str(error["msg"]).removeprefix("Value error, ")
    field = fit_to_show(".".join(place), 80)
    if kind == "extra_forbidden":
        words += _field_meant(place[-1])
    value = "" if kind in _WITHOUT_VALUE or not place else f", found {_shown(error['input'])}"
    return f"{field}: {words}{value}" if place else words


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _field_meant(name: str) -> str:
    known = {field for model in Strict.__subclasses__() for field in model.model_fields}
    return "" if name in known else hint(name, known)
