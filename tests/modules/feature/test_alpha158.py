"""Alpha158 against qlib's published expressions, written again in pandas and independent of our kernels.

All 158, on a random panel, to 1e-9 relative once the longest window is full. Known differences (definitions.py): qlib
computes windows that are not full yet, takes the oldest of equal highs, has a vwap, and adds 1e-12 to denominators that
may be 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from modules.feature.alpha158.definitions import FEATURES
from modules.signal import evaluate_all
from tests.modules.signal.panels import make_panel

BARS = make_panel(158, rows=150, symbols=4, rough=False)
FULL = 61
WINDOWS = (5, 10, 20, 30, 60)

Column = pd.Series
O, H, L, C, V = ("open", "high", "low", "close", "volume")  # noqa: E741


def _line(x: np.ndarray) -> tuple[float, float, float]:
    """Slope, squared correlation and last residual of the least-squares line of x on 1..n."""
    t = np.arange(1.0, x.size + 1)
    slope, intercept = np.polyfit(t, x, 1)
    return slope, np.corrcoef(t, x)[0, 1] ** 2, x[-1] - (slope * x.size + intercept)


def _apply(x: Column, n: int, function: Callable[[np.ndarray], float]) -> Column:
    return x.rolling(n).apply(function, raw=True)


def _ups(x: Column) -> Column:
    return np.maximum(x - x.shift(1), 0)


def _downs(x: Column) -> Column:
    return np.maximum(x.shift(1) - x, 0)


def _moves(x: Column, n: int) -> Column:
    return (x - x.shift(1)).abs().rolling(n).sum() + 1e-12


def bar_features(b: pd.DataFrame) -> dict[str, Column]:
    """Those of one bar: `KBAR` and `PRICE` of qlib's loader."""
    top, bottom = np.maximum(b[O], b[C]), np.minimum(b[O], b[C])
    span = b[H] - b[L] + 1e-12
    return {
        "KMID": (b[C] - b[O]) / b[O],
        "KLEN": (b[H] - b[L]) / b[O],
        "KMID2": (b[C] - b[O]) / span,
        "KUP": (b[H] - top) / b[O],
        "KUP2": (b[H] - top) / span,
        "KLOW": (bottom - b[L]) / b[O],
        "KLOW2": (bottom - b[L]) / span,
        "KSFT": (2 * b[C] - b[H] - b[L]) / b[O],
        "KSFT2": (2 * b[C] - b[H] - b[L]) / span,
        "OPEN0": b[O] / b[C],
        "HIGH0": b[H] / b[C],
        "LOW0": b[L] / b[C],
        "VWAP0": (b[H] + b[L] + b[C]) / 3 / b[C],
    }


def window_features(b: pd.DataFrame, n: int) -> dict[str, Column]:
    """Those of one window: qlib's `rolling` section."""
    c, v = b[C], b[V]
    highest, lowest = b[H].rolling(n).max(), b[L].rolling(n).min()
    argmax = _apply(b[H], n, lambda x: np.argmax(x) + 1)
    argmin = _apply(b[L], n, lambda x: np.argmin(x) + 1)
    rose, fell = (c > c.shift(1)).astype(float), (c < c.shift(1)).astype(float)
    money = (c / c.shift(1) - 1).abs() * v
    made = {
        "ROC": c.shift(n) / c,
        "MA": c.rolling(n).mean() / c,
        "STD": c.rolling(n).std() / c,
        "BETA": _apply(c, n, lambda x: _line(x)[0]) / c,
        "RSQR": _apply(c, n, lambda x: _line(x)[1]),
        "RESI": _apply(c, n, lambda x: _line(x)[2]) / c,
        "MAX": highest / c,
        "MIN": lowest / c,
        "QTLU": c.rolling(n).quantile(0.8) / c,
        "QTLD": c.rolling(n).quantile(0.2) / c,
        "RANK": c.rolling(n).rank(pct=True),
        "RSV": (c - lowest) / (highest - lowest + 1e-12),
        "IMAX": argmax / n,
        "IMIN": argmin / n,
        "IMXD": (argmax - argmin) / n,
        "CORR": c.rolling(n).corr(np.log(v + 1)),
        "CORD": (c / c.shift(1)).rolling(n).corr(np.log(v / v.shift(1) + 1)),
        "CNTP": rose.rolling(n).mean(),
        "CNTN": fell.rolling(n).mean(),
        "CNTD": rose.rolling(n).mean() - fell.rolling(n).mean(),
        "SUMP": _ups(c).rolling(n).sum() / _moves(c, n),
        "SUMN": _downs(c).rolling(n).sum() / _moves(c, n),
        "SUMD": (_ups(c).rolling(n).sum() - _downs(c).rolling(n).sum()) / _moves(c, n),
        "VMA": v.rolling(n).mean() / (v + 1e-12),
        "VSTD": v.rolling(n).std() / (v + 1e-12),
        "WVMA": money.rolling(n).std() / (money.rolling(n).mean() + 1e-12),
        "VSUMP": _ups(v).rolling(n).sum() / _moves(v, n),
        "VSUMN": _downs(v).rolling(n).sum() / _moves(v, n),
        "VSUMD": (_ups(v).rolling(n).sum() - _downs(v).rolling(n).sum()) / _moves(v, n),
    }
    return {f"{name}{n}": column for name, column in made.items()}


@pytest.fixture(scope="module")
def published() -> dict[str, np.ndarray]:
    by_symbol = []
    for j in range(len(BARS.symbols)):
        b = pd.DataFrame({name: values[:, j] for name, values in BARS.fields.items()})
        columns = bar_features(b)
        for n in WINDOWS:
            columns |= window_features(b, n)
        by_symbol.append(columns)
    return {name: np.column_stack([columns[name] for columns in by_symbol]) for name in by_symbol[0]}


@pytest.fixture(scope="module")
def ours() -> dict[str, np.ndarray]:
    return dict(zip((f.name for f in FEATURES), evaluate_all([f.node for f in FEATURES], BARS), strict=True))


def test_the_set_is_complete(published: dict[str, np.ndarray]) -> None:
    assert len(FEATURES) == 158
    assert {f.name for f in FEATURES} == set(published)


@pytest.mark.parametrize("name", [f.name for f in FEATURES])
def test_as_published(name: str, ours: dict[str, np.ndarray], published: dict[str, np.ndarray]) -> None:
    expected = published[name][FULL:]
    assert not np.isnan(expected).any() and np.ptp(expected) > 0.0
    np.testing.assert_allclose(ours[name][FULL:], expected, rtol=1e-9, atol=1e-12)


def test_a_window_that_is_not_full_has_no_value(ours: dict[str, np.ndarray]) -> None:
    for f in FEATURES:
        begin = next((n for n in sorted(WINDOWS, reverse=True) if f.name.endswith(str(n))), None)
        if begin is not None and f.name not in ("KMID2", "KUP2", "KLOW2", "KSFT2"):
            assert np.isnan(ours[f.name][: begin - 1]).all(), f.name
            assert not np.isnan(ours[f.name][begin + 1 :]).any(), f.name
