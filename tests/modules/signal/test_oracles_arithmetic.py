"""Operators on one cell against numpy and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from modules.panel import Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Oracle, agree, on_both_panels

ORACLES: list[Case] = [
    ("square(open - close)", lambda f: (f["open"] - f["close"]) ** 2),
    ("floor(open - close)", lambda f: Frame(np.floor(f["open"] - f["close"]))),
    ("ceil(open - close)", lambda f: Frame(np.ceil(f["open"] - f["close"]))),
    ("tanh(returns(close, 1))", lambda f: Frame(np.tanh(f["close"].pct_change(1, fill_method=None)))),
    ("tanh(open - close)", lambda f: Frame(np.tanh(f["open"] - f["close"]))),
    ("sigmoid(open - close)", lambda f: Frame(special.expit(f["open"] - f["close"]))),
    ("unitless(close)", lambda f: f["close"]),
    ("between(close, low + 0.3, high - 0.3)", lambda f: ((f["close"] >= f["low"] + 0.3)
        & (f["close"] <= f["high"] - 0.3)).astype(float).where(f["close"].notna() & f["low"].notna()
        & f["high"].notna())),
    ("nan_if(close, close > open)", lambda f: f["close"].mask(f["close"] > f["open"])
        .where(f["close"].notna() & f["open"].notna())),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


_WIDE = np.concatenate([s * 10.0 ** np.arange(-300, 4, 0.37) for s in (-1.0, 1.0)] + [np.linspace(-40, 40, 2_001)])


@pytest.mark.parametrize(("name", "oracle"), [("tanh", np.tanh), ("sigmoid", special.expit)])
def test_curves_keep_their_digits_everywhere(name: str, oracle: np.ufunc) -> None:
    """Near 0, where a difference of powers would lose them, and in the tails."""
    panel = Panel(np.array([0]), tuple(map(str, range(_WIDE.size))), {"close": _WIDE[np.newaxis]})
    found = evaluate(parse(f"{name}(close)"), panel)[0]
    np.testing.assert_allclose(found, oracle(_WIDE), rtol=2e-15, atol=0.0)


EDGES = [
    ("between(x, 1, 2)", [1, 1, 0, 0, None]),
    ("between(x, 2, 1)", [0, 0, 0, 0, None]),
    ("nan_if(x, x)", [None, None, None, 0, None]),
    ("nan_if(1, x)", [None, None, None, 1, None]),
    ("square(x * 1e160)", [None, None, None, 0, None]),
    ("floor(x - 0.5)", [0, 1, -4, -1, None]),
    ("ceil(x - 0.5)", [1, 2, -3, 0, None]),
    ("tanh(x * 1e9)", [1, 1, -1, 0, None]),
    ("sigmoid(x * 1e9)", [1, 1, 0, 0.5, None]),
]


@pytest.mark.parametrize(("text", "expected"), EDGES, ids=[c[0] for c in EDGES])
def test_edges(text: str, expected: list[float | None]) -> None:
    panel = Panel(np.array([0]), tuple("ABCDE"), {"x": np.array([[1.0, 2.0, -3.0, 0.0, np.nan]])})
    wanted = pd.array(expected, dtype="Float64").to_numpy(float, na_value=np.nan)
    np.testing.assert_array_equal(evaluate(parse(text), panel)[0], wanted)
