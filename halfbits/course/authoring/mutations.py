"""What a node of a syntax tree becomes by a mistake that people make in numerical code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

# Method calls that an author forgets: x.clamp(...) becomes x.
FORGOTTEN = {
    *("abs", "bool", "clamp", "clone", "contiguous", "copy", "detach", "double", "eval", "float"),
    *("flatten", "half", "int", "isfinite", "item", "lstrip", "masked_fill", "reshape", "to"),
}
# Functions of one argument that an author forgets: torch.round(x) becomes x.
IDENTITY = {"abs", "deepcopy", "float", "int", "list", "round", "sqrt"}
RENAMED = {
    "amax": "amin",
    "argmax": "argmin",
    "ceil": "floor",
    "floor": "ceil",
    "log10": "log",
    "log_softmax": "softmax",
    "max": "min",
    "min": "max",
    "no_grad": "enable_grad",
    "ones": "zeros",
    "round": "floor",
    "softmax": "log_softmax",
    "sum": "mean",
    "zeros": "ones",
}
DTYPES = {
    "bfloat16": "float16",
    "float16": "bfloat16",
    "float32": "float64",
    "float64": "float32",
    "int8": "int16",
    "uint8": "int8",
}
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COMBINED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


Text = Callable[[ast.AST], str]


def replacements(node: ast.expr | ast.stmt, source: str) -> Iterator[str]:
    """What may stand in the place of `node` in `source`, one mistake each."""
    for kind, change in CHANGES.items():
        if isinstance(node, kind):
            yield from change(node, lambda part: ast.get_source_segment(source, part) or "")


def _of_call(node: ast.Call, text: Text) -> Iterator[str]:
    function, name = node.func, getattr(node.func, "attr", getattr(node.func, "id", ""))
    method = isinstance(function, ast.Attribute)
    if method and name in FORGOTTEN:
        yield text(function.value)  # type: ignore[attr-defined]
    if name in IDENTITY and len(node.args) == 1:
        yield text(node.args[0])
    if name in RENAMED:
        yield f"{text(function).removesuffix(name)}{RENAMED[name]}{_arguments(node, text)}"
    if name in ("max", "min") and not method and len(node.args) == 2:
        yield from map(text, node.args)
    for place in range(len(node.keywords)):
        yield f"{text(function)}{_arguments(node, text, without=place)}"


def _arguments(node: ast.Call, text: Text, without: int = -1) -> str:
    parts = [text(argument) for argument in node.args]
    kept = (keyword for place, keyword in enumerate(node.keywords) if place != without)
    parts += [f"{k.arg}={text(k.value)}" if k.arg else f"**{text(k.value)}" for k in kept]
    return f"({', '.join(parts)})"


def _of_constant(node: ast.Constant, text: Text) -> Iterator[str]:
    if isinstance(node.value, bool):
        yield str(not node.value)
    elif isinstance(node.value, int):
        yield from (str(node.value + 1), str(node.value - 1))
    elif isinstance(node.value, float):
        yield str(node.value + 1)


def _of_unary(node: ast.UnaryOp, text: Text) -> Iterator[str]:
    yield text(node.operand)


def _of_binary(node: ast.BinOp, text: Text) -> Iterator[str]:
    if type(node.op) in COMBINED:
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
        new = COMBINED[type(node.op)]
        mark = sign.get(new) or {ast.BitAnd: "&", ast.BitOr: "|"}[new]
        yield f"{text(node.left)} {mark} {text(node.right)}"
    yield from (text(node.left), text(node.right))


def _of_compare(node: ast.Compare, text: Text) -> Iterator[str]:
    if len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        turned = ast.Compare(node.left, [COMPARED[type(node.ops[0])]()], node.comparators)
        yield f"({ast.unparse(turned)})"


def _of_boolean(node: ast.BoolOp, text: Text) -> Iterator[str]:
    yield from map(text, node.values)


def _of_choice(node: ast.IfExp, text: Text) -> Iterator[str]:
    yield from (f"({text(node.body)})", f"({text(node.orelse)})")


def _of_attribute(node: ast.Attribute, text: Text) -> Iterator[str]:
    if node.attr in DTYPES and text(node.value) in ("torch", "np", "tf"):
        yield f"{text(node.value)}.{DTYPES[node.attr]}"


def _of_sequence(node: ast.Tuple | ast.List, text: Text) -> Iterator[str]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for place in range(len(node.elts)):
            parts = [text(part) for i, part in enumerate(node.elts) if i != place]
            left, right = "()" if isinstance(node, ast.Tuple) else "[]"
            yield f"{left}{', '.join(parts)},{right}"


def _of_statement(node: ast.stmt, text: Text) -> Iterator[str]:
    yield "pass"


def _of_addition(node: ast.AugAssign, text: Text) -> Iterator[str]:
    yield f"{text(node.target)} = {text(node.value)}"


CHANGES: dict[type, Callable[..., Iterator[str]]] = {
    ast.Attribute: _of_attribute,
    ast.AugAssign: _of_addition,
    ast.BinOp: _of_binary,
    ast.BoolOp: _of_boolean,
    ast.Call: _of_call,
    ast.Compare: _of_compare,
    ast.Constant: _of_constant,
    ast.Expr: _of_statement,
    ast.IfExp: _of_choice,
    ast.List: _of_sequence,
    ast.Raise: _of_statement,
    ast.Tuple: _of_sequence,
    ast.UnaryOp: _of_unary,
}
