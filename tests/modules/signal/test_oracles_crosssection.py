"""Operators across the symbols of a row against pandas, numpy and scipy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Frames, Oracle, agree, on_both_panels


def across(function: Callable[[FloatArray], FloatArray], field: str = "close") -> Oracle:
    """A function of one row's values, row by row."""
    return lambda f: Frame(np.array([function(row) for row in f[field].to_numpy()]))


def _for_all(function: Callable[[FloatArray], float]) -> Oracle:
    return across(lambda row: np.full(row.size, function(row)))


def _scores(row: FloatArray) -> FloatArray:
    return stats.norm.ppf(stats.rankdata(row, nan_policy="omit") / (np.count_nonzero(~np.isnan(row)) + 1))


def _mad_clip(row: FloatArray) -> FloatArray:
    middle = np.nanmedian(row)
    reach = 1.5 * stats.median_abs_deviation(row, scale="normal", nan_policy="omit")
    return np.clip(row, middle - reach, middle + reach)


def _weighted(f: Frames) -> Frame:
    rows = []
    for x, w in zip(f["close"].to_numpy(), f["volume"].to_numpy(), strict=True):
        both = ~np.isnan(x) & ~np.isnan(w)
        rows.append(np.full(x.size, np.average(x[both], weights=w[both])))
    return Frame(np.array(rows))


def _marked(row: FloatArray, share: float, largest: bool) -> FloatArray:
    """pandas' nlargest with ties kept."""
    series = Frame(row)[0].dropna()
    count = math.ceil(share * series.size - 1e-9)
    chosen = (series.nlargest if largest else series.nsmallest)(count, keep="all").index
    return np.where(np.isnan(row), np.nan, np.isin(np.arange(row.size), chosen).astype(float))


ORACLES: list[Case] = [
    ("cs_mean(close)", _for_all(lambda r: float(np.nanmean(r)))),
    ("cs_median(close)", _for_all(lambda r: float(np.nanmedian(r)))),
    ("cs_std(close)", _for_all(lambda r: float(np.nanstd(r, ddof=1)))),
    ("cs_count(close)", _for_all(lambda r: float(np.count_nonzero(~np.isnan(r))))),
    ("cs_weighted_mean(close, volume)", _weighted),
    ("rank_gauss(close)", across(_scores)),
    ("rank_gauss(sign(open - close))", lambda f: Frame(np.array([_scores(r) for r in np.sign(f["open"] - f["close"])
        .to_numpy()]))),
    ("minmax(close)", across(lambda r: (r - np.nanmin(r)) / (np.nanmax(r) - np.nanmin(r)))),
    ("mad_clip(close, 1.5)", across(_mad_clip)),
    ("top(close, 0.3)", across(lambda r: _marked(r, 0.3, True))),
    ("bottom(close, 0.3)", across(lambda r: _marked(r, 0.3, False))),
    ("bottom(sign(open - close), 0.5)", lambda f: Frame(np.array([_marked(r, 0.5, False) for r in np.sign(f["open"]
        - f["close"]).to_numpy()]))),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


_NAN = None
ROWS: list[tuple[str, list[float | None], list[float | None]]] = [
    ("cs_mean(x)", [1, _NAN, 3], [2, 2, 2]),
    ("cs_std(x)", [1, _NAN, _NAN], [_NAN, _NAN, _NAN]),
    ("cs_count(x)", [_NAN, _NAN, _NAN], [0, 0, 0]),
    ("cs_mean(x)", [_NAN, _NAN, _NAN], [_NAN, _NAN, _NAN]),
    ("cs_mean(x)", [1e308, 1e308, -1e308], [_NAN, _NAN, _NAN]),
    ("cs_weighted_mean(x, x - 2)", [1, 2, 3], [_NAN, _NAN, _NAN]),
    ("minmax(x)", [0.1, 0.1, 0.1], [_NAN, _NAN, _NAN]),
    ("mad_clip(x)", [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]),
    ("mad_clip(x, 1)", [1, 2, 3, 100], [2.5 - 1 / 0.6744897501960817, 2, 3, 2.5 + 1 / 0.6744897501960817]),
    ("rank_gauss(x)", [5, 5, 5], [0, 0, 0]),
    ("top(x, 0.5)", [1, 2, 2, 3], [0, 1, 1, 1]),
    ("bottom(x, 0.25)", [1, 2, 2, 3], [1, 0, 0, 0]),
    ("bottom(x, 0.26)", [1, 2, 2, 3], [1, 1, 1, 0]),
    ("top(x, 0.001)", [1, _NAN, 2, 3], [0, _NAN, 0, 1]),
    ("top(x, 1)", [1, _NAN, 2, 3], [1, _NAN, 1, 1]),
    ("top(x, 0.1)", [float(i) for i in range(30)], [0] * 27 + [1] * 3),
]


@pytest.mark.parametrize(("text", "row", "expected"), ROWS, ids=[f"{c[0]} of {len(c[1])}" for c in ROWS])
def test_rows(text: str, row: list[float | None], expected: list[float | None]) -> None:
    x, wanted = (np.array([[np.nan if v is None else v for v in r]]) for r in (row, expected))
    panel = Panel(np.array([0]), tuple(f"S{i}" for i in range(len(row))), {"x": x})
    found = evaluate(parse(text), panel)
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=0.0)


def test_normal_scores_are_exact_to_the_far_tail() -> None:
    """Ten thousand symbols, and exactly opposite at the two ends."""
    x = np.arange(10_000.0)[np.newaxis]
    panel = Panel(np.array([0]), tuple(f"S{i}" for i in range(10_000)), {"x": x})
    found = evaluate(parse("rank_gauss(x)"), panel)[0]
    np.testing.assert_allclose(found, stats.norm.ppf((x[0] + 1) / 10_001), rtol=1e-13, atol=1e-15)
    assert (found == -found[::-1]).all()
