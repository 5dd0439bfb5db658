"""Placeholders of a signal's text: one rule for every search and sweep.

1. Names are found once each, in order; a brace that belongs to none is refused where it stands.
2. Numbers are filled in so that the text parses to them: whole ones as such, others to the last digit.
3. A filled template parses to the tree in which the number stands at the place, power and minus included.
4. A comparison is told from everything else, and keeps its placeholders.
"""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.signal import SignalError, parse
from modules.signal.placeholders import comparison, fill, is_name, names_in, unmatched

NAMES = [
    ("close", ()),
    ("ts_mean(close, {slow}) - ts_mean(close, {fast}) + {slow}", ("slow", "fast")),
    ("{a_1} + {b}", ("a_1", "b")),
]
STRAY = [
    ("rank({a", 6), ("rank(a})", 7), ("{A} + 1", 1), ("{a:3} + {b}", 1), ("{} + 1", 1), ("{{a}} * close", 1),
    ("{a.b}", 1), ("{0}", 1), ("{ a }", 1), ("{__class__}", 1), ("close + {a}}", 12),
]  # fmt: skip


@pytest.mark.parametrize(("template", "names"), NAMES)
def test_1_names_once_in_order(template: str, names: tuple[str, ...]) -> None:
    assert names_in(template) == names
    assert all(map(is_name, names))


@pytest.mark.parametrize(("template", "column"), STRAY)
def test_1_stray_braces_are_refused(template: str, column: int) -> None:
    with pytest.raises(SignalError, match=f"(?s)write each place as .name.*column {column}$"):
        names_in(template)


def test_1_what_only_one_side_knows() -> None:
    assert unmatched("{a} + {b}", ["b", "a"]) is None
    told = unmatched("{a} + {b} + {c}", ["x", "b", "w"])
    assert told is not None and (told.missing, told.idle) == ("a, c", "w, x")
    told = unmatched("{a}", [])
    assert told is not None and (told.missing, told.idle) == ("a", "none")


FILLED = [
    ("ts_mean(close, {a})", {"a": 5}, "ts_mean(close, 5)"),
    ("ts_mean(close, {a})", {"a": np.int64(5)}, "ts_mean(close, 5)"),
    ("close * {a}", {"a": 0.1 + 0.2}, "close * 0.30000000000000004"),
    ("close * {a}", {"a": np.float64(2.0)}, "close * 2.0"),
    ("close * {a}", {"a": -3}, "close * -3"),
    ("close - {a} ** 2", {"a": -3}, "close - (-3) ** 2"),
    ("close - {a}**2", {"a": 3}, "close - 3**2"),
    ("{a} + {aa}", {"a": 1, "aa": 2}, "1 + 2"),
]


@pytest.mark.parametrize(("template", "values", "text"), FILLED)
def test_2_numbers_are_filled_in(template: str, values: dict[str, float], text: str) -> None:
    assert fill(template, values) == text


def test_2_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="days"):
        fill("ts_mean(close, {days})", {"day": 5})


@given(value=st.one_of(st.integers(-9, 9), st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x != 0.0)))
@settings(max_examples=60, deadline=None)
def test_3_the_tree_holds_the_number(value: float) -> None:
    for template in ("close * {a}", "close - {a}", "(close + {a}) ** 2", "{a} ** 2 + close"):
        assert eval_(fill(template, {"a": value})) == eval_(template.replace("{a}", f"({value!r})"))
        assert parse(fill(template, {"a": value}), units=False) == parse(
            template.replace("{a}", f"({value!r})"), units=False
        )


def eval_(text: str) -> float:
    """Plain Python arithmetic on a close of 10."""
    found = eval(compile(ast.parse(text, mode="eval"), "test", "eval"), {"__builtins__": {}}, {"close": 10.0})  # noqa: S307
    return found if math.isfinite(found) else 0.0


def test_4_a_comparison_keeps_its_placeholders() -> None:
    told = comparison(" ts_mean(close, {fast}) >= {level} ")
    assert told is not None
    assert (told.left, told.operator, told.right) == ("ts_mean(close, {fast})", ast.GtE, "{level}")
    for other in ("-" * 100_000 + "{a} > 1", "close" + "[0]" * 50_000 + " > 1", "close > \ud800", "close\0 > 1"):
        assert comparison(other) is None
    for other in ("close", "close > 1 > 2", "(close > 1) & (close < 2)", "close >", "rank({a})"):
        assert comparison(other) is None, other
