"""JMESPath as answers need it: one record of another kind is that record's affair and ends no search.

Belongs here: how a path is evaluated. Does not belong here: what is done with what it finds (`declared`).
"""

from __future__ import annotations

import operator
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathTypeError
from jmespath.visitor import TreeInterpreter

from pipelines.sources.lib.decode import as_text, number_of

_ORDER = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def search(path: str, document: Any) -> Any:
    """What stands at `path`. Raises JMESPathError for a path that is none."""
    return _Reader().visit(_compiled(path).parsed, document)


class _Reader(TreeInterpreter):  # type: ignore[misc]
    """Compares a number that stands as text as the number that it is; a function of what it cannot take gives null."""

    def visit_comparator(self, node: Any, value: Any) -> Any:
        compare = _ORDER.get(node["value"])
        if compare is None:
            return super().visit_comparator(node, value)
        left, right = (number_of(as_text(self.visit(child, value))) for child in node["children"])
        return None if left is None or right is None else compare(left, right)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        try:
            return super().visit_function_expression(node, value)
        except JMESPathTypeError:
            return None


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)
