"""The accounts of a sweep. Nothing is done at a bar where nothing changes: a held account follows the price, so its
returns between two fills are differences of running sums."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.jit import inlined, kernel
from modules.panel import FloatArray, IntArray

# Columns of the results
FINAL: Final = 0
SUM: Final = 1  # of the bar returns
SQUARES: Final = 2
CLOSED_TRADES: Final = 3
RESULTS: Final = 4

BLOCK: Final = 4096  # bars taken at a time for all combinations: their signals stay in the cache
_WORD: Final = 8
_ALL: Final = 0x0101010101010101

# Columns of the state
_CASH: Final = 0
_SHARES: Final = 1
_STATE: Final = 2


@inlined
def _fill(
    c: int,
    bar: int,
    close: FloatArray,
    price: FloatArray,
    sums: FloatArray,
    squares: FloatArray,
    fee: float,
    state: FloatArray,
    since: IntArray,
    out: FloatArray,
) -> None:
    """Turn account c around at `bar`: into the symbol where it is in cash, else out of it."""
    if state[c, _SHARES] == 0.0:
        cash = state[c, _CASH]
        shares = cash / (price[bar] * (1.0 + fee))
        change = shares * close[bar] / cash - 1.0
        state[c, _CASH], state[c, _SHARES] = 0.0, shares
        since[c] = bar
    else:
        shares = state[c, _SHARES]
        cash = shares * price[bar] * (1.0 - fee)
        change = cash / (shares * close[bar - 1]) - 1.0
        state[c, _CASH], state[c, _SHARES] = cash, 0.0
        out[c, SUM] += sums[bar - 1] - sums[since[c]]
        out[c, SQUARES] += squares[bar - 1] - squares[since[c]]
        out[c, CLOSED_TRADES] += 1.0
    out[c, SUM] += change
    out[c, SQUARES] += change * change


@kernel
def accounts(
    values: FloatArray,
    left: IntArray,
    right: IntArray,
    or_equal: bool,
    close: FloatArray,
    price: FloatArray,
    sums: FloatArray,
    squares: FloatArray,
    fee: float,
    capital: float,
    out: FloatArray,
) -> None:
    """Results of each combination c: held where row `left[c]` of `values` is above row `right[c]`."""
    rows, combinations = close.size, left.size
    state = np.zeros((combinations, _STATE))
    since = np.zeros(combinations, dtype=np.int64)
    held = np.zeros(combinations, dtype=np.int64)
    true = np.zeros(BLOCK, dtype=np.uint8)
    words = true.view(np.int64)
    state[:, _CASH] = capital
    out[:, :] = 0.0
    for begin in range(0, rows, BLOCK):
        count = min(BLOCK, rows - begin)
        for c in range(combinations):
            a, b = values[left[c], begin : begin + count], values[right[c], begin : begin + count]
            if or_equal:
                for t in range(count):
                    true[t] = a[t] >= b[t]
            else:
                for t in range(count):
                    true[t] = a[t] > b[t]
            now = held[c]
            for word in range(-(-count // _WORD)):
                if words[word] == now * _ALL:
                    continue
                for t in range(word * _WORD, min(word * _WORD + _WORD, count)):
                    if true[t] != now:
                        now = int(true[t])
                        bar = begin + t + 1
                        if bar < rows:
                            _fill(c, bar, close, price, sums, squares, fee, state, since, out)
            held[c] = now
    for c in range(combinations):
        if state[c, _SHARES] != 0.0:
            out[c, SUM] += sums[rows - 1] - sums[since[c]]
            out[c, SQUARES] += squares[rows - 1] - squares[since[c]]
        out[c, FINAL] = state[c, _CASH] + state[c, _SHARES] * close[rows - 1]
