"""Volatility and liquidity as bars alone can tell them."""

from __future__ import annotations

from modules.signal.operators.row import NAN_IN_WINDOW, Kind, Operator, window
from modules.signal.units import RATIO, UnitRule, of

_OHLC = ("open", "high", "low", "close")


def _row(
    name: str,
    inputs: tuple[str, ...],
    formula: str,
    units: UnitRule,
    source: str,
    *,
    at_least: int = 1,
    extra_rows: int = 0,
    nan: str = NAN_IN_WINDOW,
) -> Operator:
    return Operator(
        name, Kind.WINDOW, inputs, formula, f"volatility.{name}", units, (window(at_least=at_least),), nan=nan,
        source=source, extra_rows=extra_rows,
    )  # fmt: skip


_PER_MONEY = of(close=-1, volume=-1)

ROWS: tuple[Operator, ...] = (
    _row("parkinson", ("high", "low"), "square root of the mean of log(high / low)^2 / (4 log 2), per bar",
         RATIO.over("high", "low"), "Parkinson 1980"),
    _row("garman_klass", _OHLC,
         "square root of the mean of log(high / low)^2 / 2 - (2 log 2 - 1) * log(close / open)^2, "
         "per bar", RATIO.over(*_OHLC), "Garman and Klass 1980"),
    _row("rogers_satchell", _OHLC, "square root of the mean of log(high / close) * log(high / open) + "
         "log(low / close) * log(low / open), per bar; free of drift", RATIO.over(*_OHLC),
         "Rogers and Satchell 1991"),
    _row("yang_zhang", _OHLC, "square root of var(log(open / close[t-1])) + k * var(log(close / open)) + (1 - k) * "
         "rogers_satchell^2, k = 0.34 / (1.34 + (window + 1) / (window - 1)), per bar", RATIO.over(*_OHLC),
         "Yang and Zhang 2000", at_least=2, extra_rows=1),
    _row("amihud", ("close", "volume"),
         "mean of |close / close[t-1] - 1| / (close * volume) over bars that traded, per "
         "unit of currency (Amihud's own figures are times 10^6)", _PER_MONEY, "Amihud 2002", extra_rows=1,
         nan=f"{NAN_IN_WINDOW}; NaN where no bar traded"),
    _row("kyle_lambda", ("close", "volume"), "slope through the origin of close / close[t-1] - 1 on its sign * close * "
         "volume: return per unit of currency that flowed", _PER_MONEY,
         "Kyle 1985; Lopez de Prado 2018, 18.4.1, in returns and money", extra_rows=1),
    _row("roll_spread", ("close",), "2 * square root of -cov(d, d[t-1]), d = log(close / close[t-1]): share of the "
         "price; 0 where the covariance is positive", RATIO, "Roll 1984; zero as in Goyenko, Holden and Trzcinka 2009",
         at_least=2, extra_rows=2),
    _row("corwin_schultz", ("high", "low"), "mean over pairs of bars of 2 * (e^a - 1) / (1 + e^a), at least 0; "
         "a = (sqrt(2 * b) - sqrt(b)) / (3 - 2 * sqrt(2)) - sqrt(g / (3 - 2 * sqrt(2))), b = sum of the two "
         "log(high / low)^2, g = log(high / low)^2 of both bars as one; no correction for gaps overnight",
         RATIO.over("high", "low"), "Corwin and Schultz 2012", extra_rows=1),
    _row("abdi_ranaldo", ("high", "low", "close"), "mean over pairs of bars of sqrt(max(0, 4 * (c - m) * (c - m'))), "
         "c = log close of the earlier bar, m and m' = mean of log high and log low of the earlier and the later",
         RATIO.over("high", "low", "close"), "Abdi and Ranaldo 2017, two-day corrected", extra_rows=1,
         nan=f"{NAN_IN_WINDOW}; the newest close is not read"),
)  # fmt: skip
