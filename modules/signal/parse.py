"""From text to tree. Python's expression syntax, read with `ast` and checked into our own nodes; nothing is run."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Collection

from modules.signal.check import build_call, check_fields, check_units
from modules.signal.errors import SignalError
from modules.signal.nodes import MAX_DEPTH, MAX_NODES, MAX_TEXT, Call, Field, Node, Number, depth, walk
from modules.signal.operators import find
from modules.signal.units import FIELD_UNITS, Loose

_BINARY: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Gt: "gt", ast.Lt: "lt", ast.GtE: "ge", ast.LtE: "le", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
_INSTEAD: dict[type[ast.AST], str] = {
    ast.IfExp: "`a if c else b` is written where(c, a, b)",
    ast.Attribute: "attributes are not part of the language; write operator(field, window)",
    ast.Subscript: "[...] is not part of the language; x[t - 5] is written delay(x, 5)",
    ast.Lambda: "lambda is not part of the language; write an expression of operators and fields",
    ast.BitAnd: "`&` is written `and`",
    ast.BitOr: "`|` is written `or`",
    ast.Invert: "`~` is written `not`",
    ast.BitXor: "`^` is written signed_power(x, p) or x ** p",
    ast.FloorDiv: "`//` is not part of the language; use / or quantile_bucket",
    ast.Mod: "`%` is not part of the language",
    ast.MatMult: "`@` is not part of the language",
    ast.Starred: "`*` before an argument is not part of the language",
    ast.NamedExpr: "`:=` is not part of the language; write the expression out (it is computed once)",
}


def parse(text: str, fields: Collection[str] | None = None, *, units: bool = True) -> Node:
    """The checked tree of a signal. Where `fields` is given, any other field name is refused.

    Raises SignalError with column and caret: syntax, unknown names, arity, windows, look-ahead, limits, and, unless
    `units` is False, inputs whose units do not fit.
    """
    return _Reader(text).read(fields, units=units)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes = 0

    def fail(self, message: str, column: int) -> SignalError:
        return SignalError(message, self.text, column)

    def read(self, fields: Collection[str] | None, *, units: bool) -> Node:
        node = self.node(self.syntax(), 1)
        if not any(isinstance(n, Field) for n in walk(node)):
            raise self.fail("a signal must read at least one field, such as close", 1)
        if depth(node) > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}; split the signal", 1)
        if fields is not None:
            check_fields(node, fields, self.fail)
        if units:
            unit = check_units(node, self.fail)
            if unit is Loose.GROUP:
                raise self.fail("a group is no signal; use it to compare within groups, as in neutralize(x, sector)", 1)
        return node

    def syntax(self) -> ast.expr:
        text = self.text
        if not text.strip():
            raise SignalError("the signal is empty; write an expression such as rank(-returns(close, 5))")
        if len(text) > MAX_TEXT:
            raise SignalError(f"the signal has {len(text)} characters, at most {MAX_TEXT} are read; split it")
        for i, c in enumerate(text):
            if not c.isascii() or not (c.isprintable() or c in "\t\r\n"):
                raise self.fail(f"character {c!r} is not part of the language; use plain letters and signs", i + 1)
        if "#" in text:
            raise self.fail("comments are not part of a signal; remove the text from # on", text.index("#") + 1)
        level = 0
        for i, c in enumerate(text):
            level += (c == "(") - (c == ")")
            if level > MAX_DEPTH:
                raise self.fail(f"nested deeper than {MAX_DEPTH}; split the signal", i + 1)
        # one line of the same length, so that offsets are columns
        line = "".join(" " if c.isspace() else c for c in text)
        indent = len(line) - len(line.lstrip())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SyntaxWarning)  # `1if` is a slip, not a number and a word
                body = ast.parse(line[indent:], mode="eval").body
        except SyntaxError as error:
            ended = error.lineno != 1 or not error.offset  # the text stopped too early
            column = len(text.rstrip()) if ended else min((error.offset or 1) + indent, len(text))
            raise self.fail(f"cannot read this: {error.msg}", column) from None
        except (ValueError, RecursionError, MemoryError):
            raise self.fail(f"too long a number, or nested deeper than {MAX_DEPTH}; split the signal", 1) from None
        for part in ast.walk(body):
            if isinstance(part, ast.expr):
                part.col_offset += indent
                part.end_col_offset = (part.end_col_offset or 0) + indent
        return body

    def node(self, tree: ast.expr, level: int) -> Node:
        column = tree.col_offset + 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES} parts; split the signal", column)
        if level > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}; split the signal", column)
        match tree:
            case ast.Constant():
                return self.constant(tree, column)
            case ast.Name():
                return self.name(tree.id, column)
            case ast.Call():
                return self.call(tree, column, level)
            case ast.UnaryOp():
                return self.unary(tree, column, level)
            case ast.BinOp():
                return self.binary(tree, column, level)
            case ast.BoolOp():
                name = "and" if isinstance(tree.op, ast.And) else "or"
                return self.chain(name, [self.node(v, level + 1) for v in tree.values], column)
            case ast.Compare():
                return self.compare(tree, column, level)
        raise self.refuse(tree, column)

    def refuse(self, part: ast.AST, column: int) -> SignalError:
        unknown = f"{type(part).__name__} is not part of the language; write operators, fields and numbers"
        return self.fail(_INSTEAD.get(type(part), unknown), column)

    def constant(self, tree: ast.Constant, column: int) -> Number:
        value = tree.value
        if isinstance(value, bool) or value is None:
            raise self.fail(f"{value} is not part of the language; write 1 or 0", column)
        if not isinstance(value, int | float):
            raise self.fail(f"{type(value).__name__} {value!r} is not part of the language; write a number", column)
        return self.number(value, column)

    def number(self, value: float, column: int) -> Number:
        try:
            converted = float(value)
        except OverflowError:
            converted = math.inf
        if not math.isfinite(converted):
            raise self.fail("the number is not finite; the largest is about 1.8e308", column)
        return Number(converted + 0.0, column)

    def name(self, name: str, column: int) -> Field:
        row = find(name)
        if row is not None and name not in FIELD_UNITS:  # vwap is delivered with some bars and computed from others
            raise self.fail(f"{name} is an operator, not a field; write {row.signature}", column)
        return Field(name, column)

    def call(self, tree: ast.Call, column: int, level: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise self.refuse(tree.func, tree.func.col_offset + 1)
        name = tree.func.id
        row = find(name)
        if row is not None and row.symbol is not None:
            raise self.fail(f"{name} is written {row.signature}", column)
        for argument in tree.args:
            if isinstance(argument, ast.Starred):
                raise self.refuse(argument, argument.col_offset + 1)
        positional = [self.node(a, level + 1) for a in tree.args]
        keywords: dict[str, Node] = {}
        for k in tree.keywords:
            if k.arg is None:
                raise self.fail("`**` before an argument is not part of the language", k.value.col_offset + 1)
            keywords[k.arg] = self.node(k.value, level + 1)
        return build_call(name, positional, keywords, column, self.fail)

    def unary(self, tree: ast.UnaryOp, column: int, level: int) -> Node:
        if isinstance(tree.op, ast.Invert):
            raise self.refuse(tree.op, column)
        operand = self.node(tree.operand, level + 1)
        if isinstance(tree.op, ast.UAdd):
            return operand
        if isinstance(tree.op, ast.Not):
            return Call("not", (operand,), (), column)
        if isinstance(operand, Number):
            return self.number(-operand.value, column)
        return Call("neg", (operand,), (), column)

    def binary(self, tree: ast.BinOp, column: int, level: int) -> Node:
        left = self.node(tree.left, level + 1)
        right = self.node(tree.right, level + 1)
        if isinstance(tree.op, ast.Pow):
            return build_call("power", (left, right), {}, column, self.fail)
        name = _BINARY.get(type(tree.op))
        if name is None:
            raise self.refuse(tree.op, self.sign_after(tree.left))
        return Call(name, (left, right), (), column)

    def compare(self, tree: ast.Compare, column: int, level: int) -> Node:
        """`a < b < c` means `a < b and b < c`, as in Python."""
        terms = [self.node(v, level + 1) for v in (tree.left, *tree.comparators)]
        pairs: list[Node] = []
        for sign, left, right in zip(tree.ops, terms, terms[1:], strict=False):
            name = _COMPARE.get(type(sign))
            if name is None:
                raise self.fail("only > < >= <= == != compare", self.sign_after(tree.left))
            pairs.append(Call(name, (left, right), (), column))
        return self.chain("and", pairs, column)

    def sign_after(self, left: ast.expr) -> int:
        """Column of the operator that follows an operand."""
        end = left.end_col_offset or 0
        return end + 1 + next((i for i, c in enumerate(self.text[end:]) if c not in ") \t\r\n"), 0)

    def chain(self, name: str, terms: list[Node], column: int) -> Node:
        result = terms[0]
        for term in terms[1:]:
            result = Call(name, (result, term), (), column)
        return result
