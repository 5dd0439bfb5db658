"""Sums run along time where there are few symbols, and across symbols where there are many: the bits are the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modules.panel import Panel
from modules.signal import evaluate, parse
from modules.signal.kernels.rolling import NARROW


@pytest.mark.parametrize("window", [2, 3, 4, 7, 20, 101])
def test_a_narrow_panel_has_the_bits_of_its_columns_in_a_wide_one(window: int) -> None:
    rng = np.random.default_rng(window)
    close = np.exp(rng.normal(0.0, 2.0, (1_700, 2 * NARROW)))
    close[rng.random(close.shape) < 0.001] = math.nan
    ts = np.arange(close.shape[0], dtype=np.int64)
    names = tuple(f"S{i}" for i in range(close.shape[1]))
    signal = parse(f"ts_mean(close, {window})")
    wide = evaluate(signal, Panel(ts, names, {"close": close}))
    for width in (1, 3, NARROW - 1):
        narrow = Panel(ts, names[:width], {"close": np.ascontiguousarray(close[:, :width])})
        np.testing.assert_array_equal(evaluate(signal, narrow).view(np.int64), wide[:, :width].copy().view(np.int64))
