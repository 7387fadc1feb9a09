"""Evaluates the expressions of estimate questions: arithmetic over halfbits.perf.cost's names."""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from halfbits import quantities
from halfbits.course.interview.bank.glued import glued
from halfbits.perf import cost
from halfbits.perf.storage import BITS, Parts, Storage, storage

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul},
    **{ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod},
    **{ast.UAdd: operator.pos, ast.USub: operator.neg},
}
LARGEST_POWER = 1100  # float64 ends at 2**1024; a longer integer would only cost time
OWN = {
    name: value
    for name, value in vars(cost).items()
    if name[0] != "_" and getattr(value, "__module__", "") == cost.__name__
}
NAMES: dict[str, Any] = {
    **OWN,
    **{"quantity": quantities.value, "record": quantities.record},
    **{"product_seconds": quantities.product_seconds, "glued": glued},
    **{"BITS": BITS, "storage": storage, "round": round, "min": min, "max": max},
    **{"sqrt": math.sqrt, "log2": math.log2},
}
CLASSES = (Parts, Storage, *(value for value in OWN.values() if inspect.isclass(value)))


class BadExpressionError(ValueError):
    """An expression that is not allowed or has no finite number as its value."""


def evaluate(text: str, known: Mapping[str, float] | None = None) -> float:
    """The finite number that `text` stands for; `known` adds names. Raises BadExpressionError.

    Allowed are numbers, strings, + - * / // % **, calls of halfbits.perf.cost's functions and
    classes, of quantity, record, product_seconds and glued, of round, min, max, sqrt and log2,
    subscripts, and public attributes of cost's own objects.
    """
    try:
        tree = ast.parse(text, mode="eval")
        value = _value(tree.body, {**NAMES, **(known or {})})
    except BadExpressionError:
        raise
    except SyntaxError as error:
        raise BadExpressionError(f"{text!r} is no expression: {error.msg}") from error
    except Exception as error:
        raise BadExpressionError(f"{text!r} fails: {type(error).__name__}: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadExpressionError(f"{text!r} is {value!r}, expected a finite number")
    return value


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() | str() as value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left, ast.Pow(), right):
            return _power(_value(left, names), _value(right, names))
        case ast.BinOp(left, action, right) if type(action) in OPERATORS:
            return OPERATORS[type(action)](_value(left, names), _value(right, names))
        case ast.UnaryOp(action, operand) if type(action) in OPERATORS:
            return OPERATORS[type(action)](_value(operand, names))
        case ast.Call(function, arguments, keywords) if all(word.arg for word in keywords):
            options = {str(word.arg): _value(word.value, names) for word in keywords}
            return _function(function, names)(*(_value(a, names) for a in arguments), **options)
        case ast.Subscript(whole, key):
            return _value(whole, names)[_value(key, names)]
        case ast.Attribute(owner, name):
            return _attribute(_value(owner, names), name)
        case ast.Name(id=name):
            raise BadExpressionError(f"unknown name {name!r}; known are {', '.join(sorted(names))}")
    raise BadExpressionError(f"{ast.unparse(node)!r} is not allowed in an expression")


def _function(node: ast.expr, names: Mapping[str, Any]) -> Callable[..., Any]:
    if not isinstance(node, ast.Name | ast.Attribute):
        raise BadExpressionError(f"{ast.unparse(node)!r} cannot be called")
    return _value(node, names)


def _attribute(owner: Any, name: str) -> Any:
    if name.startswith("_") or not isinstance(owner, CLASSES):
        raise BadExpressionError(f"the attribute {name!r} is not allowed in an expression")
    return getattr(owner, name)


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > LARGEST_POWER:
        raise BadExpressionError(f"the exponent {exponent} is too large")
    return base**exponent
