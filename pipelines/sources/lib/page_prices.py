"""Prices as pages write them for people: an amount in the form that its page has, or a figure in another form.

Belongs here: telling these from words in place of a price. Does not belong here: the form of any page's prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MAX_SHOWN = 60


def stated_amount(form: re.Pattern[str], text: str) -> str | None:
    """The amount that the form's last group finds, without separators.

    A text with a figure in another form (another currency or unit, a range) stays as it is, so that the rules put its row aside by name.
    None for words: a price to ask for is no offer.
    """
    found = form.match(text)
    if found:
        return str(found.group(form.groups)).replace(",", "")
    return text[:_MAX_SHOWN] if re.search("[0-9]", text) else None


def have_a_price(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of these offers has an amount that is one."""
    return any(_AMOUNT.fullmatch(str(row["native_amount"])) for row in rows)
