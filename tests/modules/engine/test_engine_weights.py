"""Reference weights: ranks, caps, averages and the no-trade band."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from modules.engine.instruments import align_instruments
from modules.engine.weights import applied_volatility, average_ranks, hold_within_band, rank_weights, trailing_average
from modules.panel import FloatArray
from tests.modules.engine.cases import days, instruments

NAN = math.nan


def ranked(
    rows: list[list[float]],
    sectors: list[str] | None = None,
    *,
    gross: float = 1.0,
    cap: float = 1.0,
    sector_cap: float = 1.0,
) -> FloatArray:
    signal = np.array(rows)
    symbols = tuple("ABCDEFGHIJ"[: signal.shape[1]])
    table = instruments(symbols, sectors=dict(zip(symbols, sectors, strict=True)) if sectors else None)
    axes = align_instruments(table, symbols, days(len(rows)))
    return rank_weights(signal, np.ones(signal.shape), axes, gross=gross, cap=cap, sector_cap=sector_cap)


@pytest.mark.parametrize(
    ("signal", "limits", "weights"),
    [
        ([1, 2, 3], {}, [-0.5, 0, 0.5]),
        ([30, 10, 20, 40], {}, [0.125, -0.375, -0.125, 0.375]),
        ([1, 1, 2], {}, [-0.25, -0.25, 0.5]),
        ([5, 5, 5], {}, [0, 0, 0]),
        ([7, NAN, 9], {}, [-0.5, 0, 0.5]),
        ([7, NAN, NAN], {}, [0, 0, 0]),
        ([1, 2, 3], {"gross": 0.4}, [-0.2, 0, 0.2]),
        ([30, 10, 20, 40], {"cap": 0.3}, [0.1, -0.3, -0.1, 0.3]),
        ([math.inf, -math.inf, 0], {}, [0.5, -0.5, 0]),
    ],
)
def test_rank_weights_table(signal: list[float], limits: dict[str, float], weights: list[float]) -> None:
    np.testing.assert_allclose(ranked([signal], None, **limits)[0], np.array(weights), rtol=0, atol=1e-15)


def test_one_scale_keeps_every_sector_under_its_cap() -> None:
    w = ranked([[1, 2, 3, 4]], sectors=["UNKNOWN", "x", "x", "UNKNOWN"], sector_cap=0.25)[0]
    np.testing.assert_allclose(w, np.array([-3, -1, 1, 3]) * 0.25 / 6, atol=1e-15)


def test_twenty_symbols_at_a_cap_of_five_percent() -> None:
    signal = np.arange(20.0)[None, :]
    symbols = tuple(f"S{i:02d}" for i in range(20))
    w = rank_weights(
        signal,
        np.ones((1, 20)),
        align_instruments(instruments(symbols), symbols, days(1)),
        gross=1.0,
        cap=0.05,
        sector_cap=0.25,
    )
    assert np.abs(w).sum() == pytest.approx(100 * 0.05 / 9.5)
    assert np.abs(w).max() == pytest.approx(0.05)


@given(arrays(np.float64, st.integers(1, 30), elements=st.integers(-4, 4).map(float)))
def test_average_ranks_agree_with_scipy(values: FloatArray) -> None:
    np.testing.assert_array_equal(average_ranks(values), rankdata(values))


def test_a_price_is_needed() -> None:
    symbols = ("A", "B", "C")
    axes = align_instruments(instruments(symbols), symbols, days(1))
    w = rank_weights(np.array([[1.0, 2.0, 3.0]]), np.array([[9.0, NAN, 9.0]]), axes, gross=1.0, cap=1.0, sector_cap=1.0)
    assert w.tolist() == [[-0.5, 0.0, 0.5]]


def test_trailing_average_uses_fewer_rows_at_the_beginning() -> None:
    w = np.array([[1.0], [3.0], [5.0], [0.0]])
    assert trailing_average(w, 3)[:, 0].tolist() == [1.0, 2.0, 3.0, 8 / 3]


@pytest.mark.parametrize(
    ("targets", "known", "band", "held"),
    [
        ([0.01, 0.02, 0.031, 0.02], [0, 0, 0, 0], 0.0, [0.01, 0.02, 0.031, 0.02]),
        ([0.01, 0.02, 0.031, 0.02], [0, 0, 0, 0], 0.02, [0.0, 0.0, 0.031, 0.031]),
        ([0.05, 0.04, 0.02, 0.0], [0, 0, 0, 0], 0.02, [0.05, 0.05, 0.02, 0.02]),
        ([0.05, 0.05, 0.05], [0, NAN, 0], 0.04, [0.05, 0.0, 0.05]),
        ([-0.05, 0.05, 0.05], [0, 0, 0], 0.05, [0.0, 0.0, 0.0]),
    ],
    ids=["no band", "moves once it is worth it", "exactly the band stays", "unknown is closed", "never reached"],
)
def test_band_table(targets: list[float], known: list[float], band: float, held: list[float]) -> None:
    got = hold_within_band(np.array(targets)[:, None], np.array(known, dtype=float)[:, None], band)
    assert got[:, 0].tolist() == held


def test_applied_volatility_is_that_of_the_weighted_returns() -> None:
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (40, 3)), axis=0))
    w = rng.normal(0, 0.1, (40, 3))
    got = applied_volatility(w, close, 10)
    r = close[30:40] / close[29:39] - 1
    assert got[39] == pytest.approx(np.sqrt(np.mean((r @ w[39]) ** 2)), rel=1e-12)
    assert np.isnan(got[:10]).all()
