"""Operators within groups and net of other rows: pandas groupby and numpy's least squares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Frames, Oracle, agree, on_both_panels
from tests.modules.signal.panels import bits, grouped_panel

Grouped = pd.api.typing.SeriesGroupBy


def _by_sector(function: Callable[[pd.Series, Grouped], pd.Series]) -> Oracle:
    def rows(f: Frames) -> Frame:
        pairs = zip(f["close"].to_numpy(), f["sector"].to_numpy(), strict=True)
        series = ((pd.Series(x), pd.Series(g)) for x, g in pairs)
        return Frame(np.array([function(x, x.groupby(g)) for x, g in series]))

    return rows


def _rank(x: pd.Series, by: Grouped) -> pd.Series:
    count = by.transform("count")
    return ((by.rank() - 1) / (count - 1)).mask(count == 1, 0.5).where(x.notna() & count.notna())


def _least_squares(*names: str) -> Oracle:
    def rows(f: Frames) -> Frame:
        y, *xs = (f[n].to_numpy() for n in names)
        out = np.full(y.shape, np.nan)
        for t in range(y.shape[0]):
            here = ~np.isnan(np.stack([y[t], *(x[t] for x in xs)])).any(axis=0)
            design = np.column_stack([np.ones(here.sum()), *(x[t, here] / np.abs(x[t, here]).max() for x in xs)])
            if here.sum() > design.shape[1]:
                out[t, here] = y[t, here] - design @ np.linalg.lstsq(design, y[t, here], rcond=None)[0]
        return Frame(out)

    return rows


def _projected(f: Frames) -> Frame:
    rows = []
    for x, y in zip(f["close"].to_numpy(), f["volume"].to_numpy(), strict=True):
        here = ~np.isnan(x) & ~np.isnan(y)
        rows.append(np.where(here, x - y * np.dot(x[here], y[here]) / np.dot(y[here], y[here]), np.nan))
    return Frame(np.array(rows))


ORACLES: list[Case] = [
    ("neutralize(close, sector)", _by_sector(lambda x, by: x - by.transform("mean"))),
    ("group_rank(close, sector)", _by_sector(_rank)),
    ("group_zscore(close, sector)", _by_sector(lambda x, by: (x - by.transform("mean")) / by.transform("std"))),
    ("group_scale(close, sector)", _by_sector(lambda x, by: x / by.transform("sum"))),
    ("group_mean(close, sector)", _by_sector(lambda _, by: by.transform("mean"))),
    ("group_median(close, sector)", _by_sector(lambda _, by: by.transform("median"))),
    ("group_count(close, sector)", _by_sector(lambda _, by: by.transform("count"))),
    ("regress_out(close, open)", _least_squares("close", "open")),
    ("regress_out(close, volume, open)", _least_squares("close", "volume", "open")),
    ("regress_out(volume, open, close, low)", _least_squares("volume", "open", "close", "low")),
    ("vector_neutral(close, volume)", _projected),
]


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


def _row(**fields: list[float | None]) -> Panel:
    arrays = {k: np.array([[np.nan if v is None else v for v in row]]) for k, row in fields.items()}
    width = next(iter(arrays.values())).shape[1]
    return Panel(np.array([0]), tuple(f"S{i}" for i in range(width)), arrays)


_N = None
ROWS: list[tuple[str, list[float | None], list[float | None], list[float | None]]] = [
    # signal, x, sector, expected
    ("neutralize(x, sector)", [1, 3, 10, 20], [0, 0, 1, 1], [-1, 1, -5, 5]),
    ("neutralize(x, sector)", [1, 3, 10, 20], [5, 5, 5, 5], [-7.5, -5.5, 1.5, 11.5]),
    ("neutralize(x, sector)", [1, 3, 10, 20], [0, 1, 2, 3], [0, 0, 0, 0]),
    ("neutralize(x, sector)", [1, 3, 10, _N], [0, _N, 0, 0], [-4.5, _N, 4.5, _N]),
    ("neutralize(x, sector)", [1, 2, 3, 4], [_N, _N, _N, _N], [_N, _N, _N, _N]),
    ("neutralize(x, sector)", [0.1, 0.1, 0.1, 7], [0, 0, 0, 1], [0, 0, 0, 0]),
    ("group_rank(x, sector)", [5, 5, 1, 9], [0, 0, 0, 1], [0.75, 0.75, 0, 0.5]),
    ("group_rank(x, sector)", [5, _N, 1, 9], [0, 0, 0, _N], [1, _N, 0, _N]),
    ("group_zscore(x, sector)", [0.1, 0.1, 3, 4], [0, 0, 1, 2], [_N, _N, _N, _N]),
    ("group_scale(x, sector)", [-1, 3, 0, 0], [0, 0, 1, 1], [-0.25, 0.75, _N, _N]),
    ("group_mean(x, sector)", [1, _N, _N, 4], [0, 0, 1, _N], [1, 1, _N, _N]),
    ("group_median(x, sector)", [1, 2, 4, _N], [0, 0, 0, 0], [2, 2, 2, 2]),
    ("group_count(x, sector)", [1, _N, _N, 4], [0, 0, 1, _N], [1, 1, 0, _N]),
    ("group_mean(x, sector)", [1, 2, 4, 8], [-0.0, 0.0, 1e300, -7.25], [1.5, 1.5, 4, 8]),
    ("vector_neutral(x, 0 * x)", [1, 2, 4, 8], [0, 0, 0, 0], [_N, _N, _N, _N]),
    # three symbols are exactly fitted by a slope, an intercept and a second slope: nothing can be left
    ("regress_out(x, sector + 0, x * x)", [1, 2, 5, _N], [3, 7, 1, 2], [_N, _N, _N, _N]),
    ("regress_out(x, x + 1)", [1, 2, 4, 8], [0, 0, 0, 0], [0, 0, 0, 0]),
    ("regress_out(x, 0 * x + 3)", [1, 2, 4, 8], [0, 0, 0, 0], [_N, _N, _N, _N]),
    ("regress_out(x, x * x, 7 - 3 * x * x)", [1, 2, 4, 8], [0, 0, 0, 0], [_N, _N, _N, _N]),
]


@pytest.mark.parametrize(("text", "x", "sector", "expected"), ROWS)
def test_rows(text: str, x: list[float | None], sector: list[float | None], expected: list[float | None]) -> None:
    panel = _row(x=x, sector=sector)
    wanted = np.array([[np.nan if v is None else v for v in expected]])
    np.testing.assert_allclose(evaluate(parse(text, units=False), panel), wanted, rtol=1e-14, atol=1e-15)


def _relabelled(sector: FloatArray, codes: dict[float, float]) -> FloatArray:
    return np.where(np.isnan(sector), np.nan, np.vectorize(lambda c: codes.get(c, -1.0))(sector))


@pytest.mark.parametrize("text", [t for t, _ in ORACLES if "sector" in t])
def test_codes_are_compared_for_equality_alone(text: str) -> None:
    """Other codes for the same groups change no bit."""
    panel = grouped_panel(31)
    other = _relabelled(panel["sector"], {0.0: 1e300, 1.0: -2.5, 2.0: 0.1, 7.0: 0.0})
    node = parse(text)
    assert bits(evaluate(node, panel)) == bits(evaluate(node, panel.with_fields(sector=other)))


@pytest.mark.parametrize("text", [t for t, _ in ORACLES])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_row_does_not_depend_on_its_order(text: str, seed: int) -> None:
    """Two hundred symbols with ties: sums in any other order would differ in their last bits."""
    rng = np.random.default_rng(seed)
    panel = grouped_panel(seed, rows=4, symbols=200)
    with np.errstate(over="ignore"):
        fields = {k: v if k == "sector" else np.round(v, 1) for k, v in panel.fields.items()}
    order = rng.permutation(200)
    panel = Panel(panel.ts, panel.symbols, fields)
    mixed = Panel(panel.ts, tuple(panel.symbols[i] for i in order), {k: v[:, order] for k, v in fields.items()})
    assert bits(evaluate(parse(text), mixed)) == bits(evaluate(parse(text), panel)[:, order])


def test_the_regression_survives_scales_that_differ_by_fifteen_orders() -> None:
    """Normal equations would lose all digits here; orthogonalised columns do not."""
    rng = np.random.default_rng(5)
    x1, x2 = 1e9 + rng.normal(size=(1, 50)), 1e-6 * rng.normal(size=(1, 50))
    y = 3.0 * (x1 - 1e9) - 2e6 * x2 + rng.normal(size=(1, 50))
    panel = Panel(np.array([0]), tuple(f"S{i}" for i in range(50)), {"y": y, "x1": x1, "x2": x2})
    design = np.column_stack([np.ones(50), x1[0] - 1e9, x2[0] * 1e6])
    expected = y[0] - design @ np.linalg.lstsq(design, y[0], rcond=None)[0]
    np.testing.assert_allclose(evaluate(parse("regress_out(y, x1, x2)"), panel)[0], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_the_residual_is_orthogonal(seed: int) -> None:
    """What is left has no mean and no slope on what was taken out."""
    rng = np.random.default_rng(seed)
    y, a, b, c = (rng.normal(size=(1, 40)) for _ in range(4))
    panel = Panel(np.array([0]), tuple(f"S{i}" for i in range(40)), {"y": y, "a": a, "b": b, "c": c})
    left = evaluate(parse("regress_out(y, a, b, c)"), panel)[0]
    for row in (np.ones(40), a[0], b[0], c[0]):
        assert abs(float(left @ row)) < 1e-12
