"""Operators that look at one cell at a time."""

from __future__ import annotations

from modules.signal.operators.row import Kind, Operator, number
from modules.signal.units import RATIO, TRUTH, UnitRule, of, plain

_NEVER_NAN = "NaN only where every input is NaN"


def _infix(
    name: str,
    symbol: str,
    formula: str,
    units: UnitRule,
    *,
    kernel: str | None = None,
    commutative: bool = False,
    associative: bool = False,
) -> Operator:
    return Operator(
        name, Kind.ELEMENTWISE, ("x", "y"), formula, f"elementwise.{kernel or name}", units,
        symbol=symbol, commutative=commutative, associative=associative,
    )  # fmt: skip


def _unary(
    name: str, formula: str, units: UnitRule, *, symbol: str | None = None, kernel: str | None = None
) -> Operator:
    place = kernel if kernel and "." in kernel else f"elementwise.{kernel or name}"
    return Operator(name, Kind.ELEMENTWISE, ("x",), formula, place, units, symbol=symbol)


ROWS: tuple[Operator, ...] = (
    _infix("add", "+", "x + y", of("x").over("x", "y"), commutative=True),
    _infix("sub", "-", "x - y", of("x").over("x", "y")),
    _infix("mul", "*", "x * y", of("x", "y"), commutative=True),
    _infix("div", "/", "x / y; NaN where y is 0", of("x", y=-1)),
    _unary("neg", "-x", of("x"), symbol="-"),
    Operator(
        "power", Kind.ELEMENTWISE, ("x",), "x ** exponent; NaN where not real", "elementwise.power",
        of(x="exponent"), (number("exponent", -10.0, 10.0),), symbol="**",
    ),
    _unary("abs", "|x|", of("x"), kernel="absolute"),
    _unary("log", "natural logarithm; NaN where x <= 0", RATIO),
    _unary("exp", "e ** x", RATIO),
    _unary("sqrt", "square root; NaN where x < 0", of(x=0.5)),
    _unary("sign", "-1, 0 or 1", RATIO),
    _unary("square", "x * x", of(x=2), kernel="shapes.square"),
    _unary("floor", "the largest whole number that is not above x", of("x"), kernel="shapes.floor"),
    _unary("ceil", "the smallest whole number that is not below x", of("x"), kernel="shapes.ceil"),
    _unary("tanh", "(e^x - e^-x) / (e^x + e^-x), in [-1, 1]", RATIO, kernel="shapes.tanh"),
    _unary("sigmoid", "1 / (1 + e^-x), in [0, 1]", RATIO, kernel="shapes.sigmoid"),
    _unary("unitless", "x, taken as a plain number", plain("plain number"), kernel="shapes.unitless"),
    Operator(
        "signed_power", Kind.ELEMENTWISE, ("x",), "sign(x) * |x| ** exponent", "elementwise.signed_power",
        of(x="exponent"), (number("exponent", 0.0, 10.0),), source="Kakushadze 2016, 101 Formulaic Alphas",
    ),
    _infix("gt", ">", "1 where x > y else 0", TRUTH.over("x", "y")),
    _infix("lt", "<", "1 where x < y else 0", TRUTH.over("x", "y")),
    _infix("ge", ">=", "1 where x >= y else 0", TRUTH.over("x", "y")),
    _infix("le", "<=", "1 where x <= y else 0", TRUTH.over("x", "y")),
    _infix("eq", "==", "1 where x equals y else 0", TRUTH.over("x", "y"), commutative=True),
    _infix("ne", "!=", "1 where x differs from y else 0", TRUTH.over("x", "y"), commutative=True),
    _infix("and", "and", "1 where both are not 0, else 0", TRUTH, kernel="both", commutative=True, associative=True),
    _infix(
        "or", "or", "1 where either is not 0, else 0", TRUTH, kernel="either", commutative=True, associative=True
    ),
    Operator(
        "between", Kind.ELEMENTWISE, ("x", "low", "high"), "1 where low <= x <= high else 0", "shapes.between",
        TRUTH.over("x", "low", "high"),
    ),
    _unary("not", "1 where x is 0 else 0", TRUTH, symbol="not", kernel="negate"),
    Operator(
        "where", Kind.ELEMENTWISE, ("condition", "x", "y"), "x where condition is not 0, else y", "elementwise.where",
        of("x").over("x", "y"), nan="NaN where the condition is NaN or the chosen side is NaN",
    ),
    Operator(
        "clip", Kind.ELEMENTWISE, ("x",), "x, but at least low and at most high", "elementwise.clip", of("x"),
        (number("low", -1e15, 1e15), number("high", -1e15, 1e15)), ascending=("low", "high"),
    ),
    Operator(
        "max", Kind.ELEMENTWISE, ("x", "y"), "the larger of x and y", "elementwise.maximum", of("x").over("x", "y"),
        commutative=True, associative=True,
    ),
    Operator(
        "min", Kind.ELEMENTWISE, ("x", "y"), "the smaller of x and y", "elementwise.minimum", of("x").over("x", "y"),
        commutative=True, associative=True,
    ),
    Operator(
        "coalesce", Kind.ELEMENTWISE, ("x", "y"), "x where it is present, else y", "elementwise.coalesce",
        of("x").over("x", "y"), nan=_NEVER_NAN, source="SQL",
    ),
    Operator(
        "nan_if", Kind.ELEMENTWISE, ("x", "condition"), "x where condition is 0, else NaN", "shapes.nan_if", of("x"),
        nan="NaN where x or the condition is NaN, or the condition is not 0",
    ),
    Operator(
        "is_missing", Kind.ELEMENTWISE, ("x",), "1 where x is NaN else 0", "elementwise.is_missing", TRUTH,
        nan="never NaN",
    ),
)  # fmt: skip
