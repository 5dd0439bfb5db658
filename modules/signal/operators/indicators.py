"""Chart indicators, as pure functions of a window (no smoothing that remembers where history began)."""

from __future__ import annotations

from modules.signal.operators.row import NAN_IN_WINDOW, Kind, Operator, Parameter, number, window
from modules.signal.units import RATIO, UnitRule, of, plain


def _row(
    name: str,
    inputs: tuple[str, ...],
    formula: str,
    units: UnitRule,
    source: str,
    *more: Parameter,
    at_least: int = 1,
    extra_rows: int = 0,
) -> Operator:
    return Operator(
        name, Kind.WINDOW, inputs, formula, f"indicators.{name}", units, (window(at_least=at_least), *more),
        nan=NAN_IN_WINDOW, source=source, extra_rows=extra_rows,
    )  # fmt: skip


_HLC = ("high", "low", "close")

ROWS: tuple[Operator, ...] = (
    _row("rsi", ("x",), "100 * sum of gains / sum of |changes|; NaN where nothing moved", plain("0 to 100"),
         "Cutler's form of Wilder 1978", extra_rows=1),
    _row("atr", _HLC, "mean of max(high - low, |high - close[t-1]|, |low - close[t-1]|)", of("close").over(*_HLC),
         "Wilder 1978, simple mean", extra_rows=1),
    _row("bollinger", ("x",), "(x[t] - ts_mean) / (width * ts_std): -1 and 1 are the bands", RATIO,
         "Bollinger 2001", number("width", 0.1, 10.0, 2.0), at_least=2),
    _row("stochastic", _HLC, "(close[t] - lowest low) / (highest high - lowest low); NaN where they are equal",
         RATIO.over(*_HLC), "Lane 1984, %K"),
    _row("parkinson", ("high", "low"), "square root of the mean of log(high / low)^2 / (4 log 2), per bar",
         RATIO.over("high", "low"),
         "Parkinson 1980"),
)  # fmt: skip
