"""Channels around the price: their width, their edges, and the place of the price between them."""

from __future__ import annotations

from modules.signal.operators.kernelfile import KernelFile
from modules.signal.operators.oscillators import PERCENT
from modules.signal.operators.row import Operator, number, window
from modules.signal.units import RATIO, of

_HLC = ("high", "low", "close")
_WILDER = "Wilder 1978, seeded as in TA-Lib"
_window, _state = KernelFile("bands").window, KernelFile("bands").state

ROWS: tuple[Operator, ...] = (
    _window("atr", _HLC, "mean of max(high - low, |high - close[t-1]|, |low - close[t-1]|)", of("close").over(*_HLC),
            "Wilder 1978, simple mean", window(), extra_rows=1),
    _state("atr_wilder", _HLC, "Wilder's average of the true range: the mean of the first `window`, then a step of 1 / "
            "window to each", of("close").over(*_HLC), _WILDER, window(default=14), state_rows=3, extra_rows=1),
    _state("natr", _HLC, "100 * atr_wilder / close", PERCENT.over(*_HLC), "Forman 2006", window(default=14),
            state_rows=3, extra_rows=1),
    _window("bollinger", ("x",), "(x[t] - ts_mean) / (width * ts_std): -1 and 1 are the bands", RATIO, "Bollinger 2001",
            window(at_least=2), number("width", 0.1, 10.0, 2.0)),
    _window("bollinger_width", ("x",), "2 * width * ts_std / ts_mean: the distance of the bands over the middle", RATIO,
            "Bollinger 2001, with the sample deviation", window(at_least=2, default=20),
            number("width", 0.1, 10.0, 2.0)),
    _state("keltner", _HLC, "(close - middle) / (width * atr_wilder): -1 and 1 are the bands; middle: exponential "
            "average of (high + low + close) / 3, starting as the mean of `window` bars from the second on",
            RATIO.over(*_HLC), "Keltner 1960, with Raschke's averages", window(default=20),
            number("width", 0.1, 10.0, 2.0), state_rows=4, extra_rows=1),
    _window("donchian_high", ("high",), "highest high, this bar's included", of("high"), "Donchian 1960",
            window(default=20)),
    _window("donchian_low", ("low",), "lowest low, this bar's included", of("low"), "Donchian 1960",
            window(default=20)),
    _window("donchian", _HLC, "place of the close in the channel: -1 at the lowest low, 1 at the highest high; NaN "
            "where they are equal", RATIO.over(*_HLC), "Donchian 1960", window(default=20)),
    _state("chandelier", _HLC, "highest high of the last `window` bars - width * atr_wilder: the exit of a long "
            "position", of("close").over(*_HLC), "LeBeau 1999", window(default=22), number("width", 0.1, 10.0, 3.0),
            state_rows=3, state_window="window", extra_rows=1),
)  # fmt: skip
