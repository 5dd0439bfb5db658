"""Chart indicators that swing in a band. Those that their authors smooth by a recursion have memory; all others are
pure functions of a window."""

from __future__ import annotations

from modules.signal.operators.kernelfile import KernelFile
from modules.signal.operators.row import NAN_ANY_INPUT, Kind, Operator, window
from modules.signal.units import RATIO, of, plain

PERCENT = plain("percent")

_HLC = ("high", "low", "close")
_PERCENT = plain("0 to 100")
_window, _state = KernelFile("oscillators").window, KernelFile("oscillators").state
_converging = KernelFile("convergence").state
_FAST, _SLOW, _SIGNAL = window("fast", default=12), window("slow", default=26), window("signal", default=9)
_PAIR = ("fast", "slow")
_APPEL = "Appel 1979, seeded as in TA-Lib"

ROWS: tuple[Operator, ...] = (
    _window("rsi", ("x",), "100 * sum of gains / sum of |changes|; NaN where nothing moved", _PERCENT,
            "Cutler's form of Wilder 1978", window(), extra_rows=1),
    _state("rsi_wilder", ("x",), "100 * average gain / (average gain + average loss), Wilder's averages: the mean of "
            "the first `window` changes, then a step of 1 / window to each; NaN where nothing ever moved", _PERCENT,
            "Wilder 1978, seeded as in TA-Lib", window(default=14), state_rows=4, extra_rows=1),
    _state("stoch_rsi", ("x",), "(r - lowest r) / (highest r - lowest r) over the last `span` values of "
            "r = rsi_wilder; NaN where they are equal", RATIO, "Chande and Kroll 1994", window(default=14),
            window("span", default=14), state_rows=6, state_window="span"),
    _window("cci", _HLC, "(p[t] - mean of p) / (0.015 * mean |p - mean|), p = (high + low + close) / 3; NaN where p is "
            "constant", plain("mostly -200 to 200").over(*_HLC), "Lambert 1980", window(at_least=2, default=20)),
    _window("stochastic", _HLC, "(close[t] - lowest low) / (highest high - lowest low); NaN where they are equal",
            RATIO.over(*_HLC), "Lane 1984, %K", window()),
    _window("williams_r", _HLC, "100 * (close[t] - highest high) / (highest high - lowest low); NaN where they are "
            "equal", plain("-100 to 0").over(*_HLC), "Williams 1979", window(default=14)),
    _window("stochastic_d", _HLC, "mean of the last `smooth` values of stochastic: %D, or the slow %K",
            RATIO.over(*_HLC), "Lane 1984, %D", window(default=14), window("smooth", default=3), extra_rows=-1),
    _window("ultimate_oscillator", _HLC, "100 * (4 a + 2 b + c) / 7; a, b, c: sum of close - l over sum of h - l, "
            "short, middle and long, where h and l are the high and low widened to close[t-1]", _PERCENT.over(*_HLC),
            "Williams 1985", window("short", default=7), window("middle", default=14), window("long", default=28),
            extra_rows=1, reach=(("long",),), ascending=("short", "middle", "long")),
    _window("cmo", ("x",), "100 * (sum of gains - sum of losses) / sum of |changes|; NaN where nothing moved",
            plain("-100 to 100"), "Chande and Kroll 1994", window(default=14), extra_rows=1),
    _converging("trix", ("x",), "change from bar to bar of an average of an average of an average of x, in percent; "
            "exponential averages, each starting as the mean of its first `window` values", PERCENT,
            "Hutson 1983, seeded as in TA-Lib", window(default=15), state_rows=8, extra_rows=-1,
            reach=(("window",), ("window",), ("window",))),
    _converging("macd", ("x",), "fast less slow exponential average; each starts as a plain mean, over bars that end "
            "together", of("x"), _APPEL, _FAST, _SLOW, state_rows=3,
            reach=(("slow",),), ascending=_PAIR),
    _converging("macd_signal", ("x",), "exponential average of macd, starting as the mean of its first `signal` "
            "values", of("x"), _APPEL, _FAST, _SLOW, _SIGNAL, state_rows=5, reach=(("slow",), ("signal",)),
            extra_rows=-1, ascending=_PAIR),
    _converging("macd_hist", ("x",), "macd - macd_signal", of("x"), _APPEL, _FAST, _SLOW, _SIGNAL, state_rows=5,
            reach=(("slow",), ("signal",)), extra_rows=-1, ascending=_PAIR),
    _converging("ppo", ("x",), "100 * (fast less slow exponential average) / slow; each starts as the mean of the "
            "first values", PERCENT, _APPEL, _FAST, _SLOW, state_rows=3,
            reach=(("slow",),), ascending=_PAIR),
    _window("dpo", ("x",), "x[t - (window // 2 + 1)] - ts_mean: the cycle without its trend, as of half a window ago",
            of("x"), "chart practice; the form that does not read ahead", window(at_least=3, default=20)),
    Operator("balance_of_power", Kind.ELEMENTWISE, ("open", *_HLC), "(close - open) / (high - low); NaN where they are "
             "equal", "oscillators.balance_of_power",
             RATIO.over("open", *_HLC), nan=NAN_ANY_INPUT, source="Livshin 2001"),
    _window("awesome", ("high", "low"), "fast less slow mean of (high + low) / 2", of("high").over("high", "low"),
            "Williams 1998", window("fast", default=5), window("slow", default=34), reach=(("slow",),),
            ascending=_PAIR),
)  # fmt: skip
