"""Chart indicators of direction and its strength. Those that their authors smooth by a recursion have memory."""

from __future__ import annotations

from modules.signal.operators.kernelfile import KernelFile
from modules.signal.operators.row import Operator, number, window
from modules.signal.units import RATIO, of, plain

_HL = ("high", "low")
_HLC = ("high", "low", "close")
_PERCENT = plain("0 to 100")
_WILDER = "Wilder 1978, seeded as in TA-Lib"
_MOVES = (
    "a move counts where it is positive and the larger of the two; Wilder's sums: plain for window - 1 bars, then a "
    "window-th leaves with each; NaN where nothing moved"
)
_window, _state = KernelFile("trend").window, KernelFile("trend").state
_DISPLACED = "the chart draws it `displacement` bars ahead, so what stands at bar t was known that many bars before"
_HOSODA = "Hosoda 1969"

ROWS: tuple[Operator, ...] = (
    _state("plus_di", _HLC, f"100 * sum of high - high[t-1] / sum of true ranges; {_MOVES}", _PERCENT.over(*_HLC),
            _WILDER, window(at_least=2, default=14), state_rows=7, extra_rows=1),
    _state("minus_di", _HLC, f"100 * sum of low[t-1] - low / sum of true ranges; {_MOVES}", _PERCENT.over(*_HLC),
            _WILDER, window(at_least=2, default=14), state_rows=7, extra_rows=1),
    _state("adx", _HLC, "Wilder's average of 100 * |plus_di - minus_di| / (plus_di + minus_di), starting as the mean "
            "of the first `window`; a bar without direction leaves it as it is", _PERCENT.over(*_HLC), _WILDER,
            window(at_least=2, default=14), state_rows=8, reach=(("window",), ("window",))),
    _window("aroon_up", ("high",), "100 * (window - bars since the highest high of the last window + 1 bars) / window",
            _PERCENT, "Chande 1995", window(default=25), extra_rows=1),
    _window("aroon_down", ("low",), "100 * (window - bars since the lowest low of the last window + 1 bars) / window",
            _PERCENT, "Chande 1995", window(default=25), extra_rows=1),
    _window("aroon", _HL, "aroon_up - aroon_down", plain("-100 to 100").over(*_HL), "Chande 1995", window(default=25),
            extra_rows=1),
    _window("vortex", _HLC, "(sum of |high - low[t-1]| - sum of |low - high[t-1]|) / sum of true ranges",
            RATIO.over(*_HLC), "Botes and Siepman 2010, VI+ less VI-", window(default=14), extra_rows=1),
    _state("psar", _HL, "stop and reverse: the stop moves to the extreme of the trade by an acceleration that grows "
            "by `step` with each new extreme up to `limit`, never into the last two bars; a bar that touches it turns "
            "the side. The larger move of the second bar gives the first side, the first bar the first stop",
            of("high").over(*_HL), "Wilder 1978, started as in TA-Lib", number("step", 0.001, 1.0, 0.02),
            number("limit", 0.001, 1.0, 0.2), state_rows=7, extra_rows=2,
            ascending=("step", "limit")),
    _window("ichimoku_conversion", _HL, "(highest high + lowest low) / 2: tenkan-sen", of("high").over(*_HL), _HOSODA,
            window(default=9)),
    _window("ichimoku_base", _HL, "(highest high + lowest low) / 2: kijun-sen", of("high").over(*_HL), _HOSODA,
            window(default=26)),
    _window("ichimoku_span_a", _HL, f"(ichimoku_conversion + ichimoku_base) / 2, `displacement` bars ago; {_DISPLACED}",
            of("high").over(*_HL), _HOSODA, window("conversion", default=9), window("base", default=26),
            window("displacement", default=26), reach=(("base",), ("displacement",)),
            ascending=("conversion", "base")),
    _window("ichimoku_span_b", _HL, f"(highest high + lowest low) / 2, `displacement` bars ago; {_DISPLACED}",
            of("high").over(*_HL), _HOSODA, window(default=52), window("displacement", default=26)),
    _state("supertrend", _HLC, "the lower of the bands (high + low) / 2 -+ width * atr_wilder in an up-trend, else "
            "the upper; a band only tightens until a close lies beyond it, and a close beyond the line turns the "
            "trend, which starts up", of("close").over(*_HLC), "Seban 2008, started as in TA-Lib", window(default=10),
            number("width", 0.1, 10.0, 3.0), state_rows=6, extra_rows=1),
)  # fmt: skip
