"""Order, memory and dependence of a window."""

from __future__ import annotations

from modules.signal.operators.row import NAN_IN_WINDOW, Kind, Operator, Parameter, Slot, integer, window
from modules.signal.units import RATIO, UnitRule, plain

MOST_LAGS = 100


def _row(
    name: str,
    formula: str,
    units: UnitRule,
    source: str,
    *more: Parameter,
    at_least: int = 1,
    extra_rows: int = 0,
) -> Operator:
    return Operator(
        name, Kind.WINDOW, ("x",), formula, f"information.{name}", units, (window(at_least=at_least), *more),
        nan=NAN_IN_WINDOW, source=source, extra_rows=extra_rows,
    )  # fmt: skip


ROWS: tuple[Operator, ...] = (
    _row("ts_entropy", "-sum of p * log p over `bins` equal bins from smallest to largest, p their shares of the "
         "window; 0 where the window is constant", plain("0 to log(bins)"), "Shannon 1948", integer("bins", 2, 100, 10),
         at_least=2),
    _row("ts_efficiency", "|x[t] - x[t - window]| / sum of |changes|; NaN where nothing moved", plain("0 to 1"),
         "Kaufman 1995, efficiency ratio", extra_rows=1),
    _row("ts_hurst", "half the least-squares slope of log(mean squared change over k bars) on log(k), k = 1, 2, 4 ... "
         "window / 4: 0.5 for a random walk, 1 for a line; x is a level, such as log(close); NaN where nothing moved",
         RATIO, "Hurst 1951; scaling of the second moment: Barabasi and Vicsek 1991", at_least=16),
    _row("ts_variance_ratio", "variance of the last `window` changes over `lag` bars / (lag * variance of one-bar "
         "changes), both corrected for bias: 1 for a random walk; x is a level, such as log(close)", RATIO,
         "Lo and MacKinlay 1988", window("lag"), at_least=2),
    _row("ts_partial_autocorr", "last coefficient of the autoregression with `lag` terms on window + lag values "
         "(Yule-Walker, Durbin's recursion); NaN where x is constant", RATIO, "Durbin 1960",
         Parameter("lag", Slot.WINDOW, 1, MOST_LAGS, 1), at_least=2),
)  # fmt: skip
