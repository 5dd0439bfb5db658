"""Moving averages beyond the plain mean. `ema` stands with the time series."""

from __future__ import annotations

from modules.signal.operators.row import NAN_IN_WINDOW, Kind, Operator, Parameter, integer, number, window
from modules.signal.units import of

_MEMORY = "NaN where x is NaN, which leaves the memory as it was, and until {} values were seen"


def _row(
    name: str,
    formula: str,
    source: str,
    *more: Parameter,
    inputs: tuple[str, ...] = ("x",),
    kernel: str = "",
    at_least: int = 1,
    extra_rows: int = 0,
    reach: tuple[tuple[str, ...], ...] = (),
) -> Operator:
    return Operator(
        name, Kind.WINDOW, inputs, formula, kernel or f"averages.{name}", of("x"), (window(at_least=at_least), *more),
        nan=NAN_IN_WINDOW, source=source, extra_rows=extra_rows, reach=reach,
    )  # fmt: skip


ROWS: tuple[Operator, ...] = (
    _row("wma", "decay_linear under its other name: weights 1 (oldest) to window (newest)", "TA-Lib WMA",
         kernel="rolling.decay_linear"),
    _row("hma", "wma(2 * wma(x, window / 2) - wma(x, window), sqrt(window)), halves and roots rounded down",
         "Hull 2005", at_least=2, extra_rows=-1, reach=(("window",), ("sqrt(window)",))),
    _row("trima", "weighted mean, weights rise from 1 to the middle and fall back to 1", "TA-Lib TRIMA"),
    _row("alma", "weighted mean, weights exp(-(k - offset * (window - 1))^2 / (2 * (window / sigma)^2)) for bar k from "
         "0 (oldest)", "Legoux and Kouzis-Loukas 2009", number("offset", 0.0, 1.0, 0.85),
         number("sigma", 0.5, 20.0, 6.0)),
    _row("vwma", "sum of x * volume / sum of volume; NaN where no volume", "volume-weighted mean",
         inputs=("x", "volume")),
    _row("ts_decay_exp", "weighted mean, weight factor^k for the value k bars ago", "exponential weights, cut off",
         number("factor", 0.0, 1.0)),
    Operator(
        "rma", Kind.STATE, ("x",), "the mean of the first `window` values, then r + (x - r) / window", "averages.rma",
        of("x"), (window(),), nan=_MEMORY.format("`window`"), source="Wilder 1978", state_rows=2,
    ),
    Operator(
        "dema", Kind.STATE, ("x",), "2 * ema(x, span) - ema(ema(x, span), span)", "averages.dema", of("x"),
        (window("span"),), nan=_MEMORY.format("2 * `span` - 1"), source="Mulloy 1994", extra_rows=-1,
        reach=(("span",), ("span",)), state_rows=4,
    ),
    Operator(
        "tema", Kind.STATE, ("x",), "3 * e - 3 * ema(e, span) + ema(ema(e, span), span), e = ema(x, span)",
        "averages.tema", of("x"), (window("span"),), nan=_MEMORY.format("3 * `span` - 2"), source="Mulloy 1994",
        extra_rows=-2, reach=(("span",), ("span",), ("span",)), state_rows=6,
    ),
    Operator(
        "kama", Kind.STATE, ("x",), "a + s^2 * (x - a), s = b + efficiency * (2 / (fast + 1) - b), b = 2 / (slow + 1); "
        "starts at value `window`; efficiency as ts_efficiency of the values seen, 1 where nothing moved",
        "averages.kama", of("x"), (window(), integer("fast", 1, 5_000, 2), integer("slow", 1, 5_000, 30)),
        nan=_MEMORY.format("`window` + 1"), source="Kaufman 1995, as TA-Lib starts it", extra_rows=1, state_rows=3,
        state_window="window", ascending=("fast", "slow"),
    ),
)  # fmt: skip
