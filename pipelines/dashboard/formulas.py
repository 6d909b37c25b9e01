"""The analysts' macros as JavaScript, so that the page recomputes with the formulas that SQL has, which are those of `economics`.

Belongs here: turning the scalar macros of `sql/macros` into functions. Does not belong here: any formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import sqlglot
from sqlglot import exp

_OPERATORS: dict[type[exp.Binary], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.And: "&&",
    exp.Or: "||",
    exp.EQ: "===",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def javascript(macros: Iterable[str]) -> str:
    """An object of scalar macros by name, from the statements that make them: `{break_even_hours(a, b) { return ...; }, ...}`."""
    return "{\n" + ",\n".join(map(_function, macros)) + "\n}"


def _function(macro: str) -> str:
    matched = re.search(r"CREATE MACRO marts\.(\w+)\((.*?)\) AS(.*);", macro, flags=re.DOTALL)
    assert matched is not None, macro
    name, parameters, body = matched.groups()
    listed = ", ".join(parameter.strip().replace(":=", "=").replace("NULL", "null") for parameter in parameters.split(","))
    return f"  {name}({listed}) {{ return {_code(sqlglot.parse_one(body, dialect='duckdb'))}; }}"


def _code(node: exp.Expr) -> str:
    for kind, write in _WRITERS.items():
        if isinstance(node, kind):
            return write(node)
    operator = _OPERATORS.get(type(node))  # type: ignore[arg-type]
    if operator is None:
        raise ValueError(f"{type(node).__name__} has no JavaScript here: {node.sql(dialect='duckdb')}")
    return f"({_code(node.this)} {operator} {_code(node.expression)})"


def _case(node: exp.Expr) -> str:
    # In SQL a condition over NULL does not hold; in JavaScript null compares as 0, so that its names are asked for first.
    default = _code(node.args["default"]) if node.args.get("default") else "null"
    code = default
    for branch in reversed(node.args["ifs"]):
        code = f"({_code(branch.this)} ? {_code(branch.args['true'])} : {code})"
    return code


def _between(node: exp.Expr) -> str:
    value = _code(node.this)
    return f"({value} !== null && {value} >= {_code(node.args['low'])} && {value} <= {_code(node.args['high'])})"


_WRITERS: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.Case: _case,
    exp.Between: _between,
    exp.Cast: lambda node: _code(node.this),
    exp.Paren: lambda node: _code(node.this),
    exp.Not: lambda node: f"!{_code(node.this)}",
    exp.Neg: lambda node: f"(-{_code(node.this)})",
    exp.Pow: lambda node: f"Math.pow({_code(node.this)}, {_code(node.expression)})",
    exp.Coalesce: lambda node: "(" + " ?? ".join(_code(part) for part in [node.this, *node.expressions]) + ")",
    exp.In: lambda node: f"[{', '.join(_code(part) for part in node.expressions)}].includes({_code(node.this)})",
    exp.Is: lambda node: f"({_code(node.this)} === {_code(node.expression)})",
    exp.Array: lambda node: f"[{', '.join(_code(part) for part in node.expressions)}]",
    exp.Null: lambda node: "null",
    exp.Column: lambda node: node.name,
    exp.Literal: lambda node: repr(node.name) if node.is_string else node.name,
}
