"""Operators that look back along one symbol: pure functions of their window, oldest to newest."""

from __future__ import annotations

from modules.signal.operators.row import LARGEST, NAN_IN_WINDOW, Kind, Operator, Parameter, number, window
from modules.signal.units import BARS, RATIO, UnitRule, of, plain

_WORLDQUANT = "Kakushadze 2016, 101 Formulaic Alphas"
_QLIB = "qlib expression operators"
_PANDAS = "pandas rolling"


def _row(
    name: str,
    formula: str,
    units: UnitRule,
    *,
    file: str = "rolling",
    inputs: tuple[str, ...] = ("x",),
    at_least: int = 1,
    more: tuple[Parameter, ...] = (),
    source: str = _PANDAS,
    nan: str = NAN_IN_WINDOW,
    commutative: bool = False,
) -> Operator:
    return Operator(
        name, Kind.WINDOW, inputs, formula, f"{file}.{name}", units, (window(at_least=at_least), *more),
        nan=nan, source=source, commutative=commutative,
    )  # fmt: skip


def _lag(name: str, formula: str, units: UnitRule, source: str) -> Operator:
    return Operator(
        name, Kind.WINDOW, ("x",), formula, f"lags.{name}", units, (window("bars", default=1),),
        nan="NaN where either end is NaN or the result is not finite", source=source, extra_rows=1,
    )  # fmt: skip


_PAIR = ("x", "y")

ROWS: tuple[Operator, ...] = (
    _lag("delay", "x[t - bars]", of("x"), _WORLDQUANT),
    _lag("delta", "x[t] - x[t - bars]", of("x"), _WORLDQUANT),
    _lag("returns", "x[t] / x[t - bars] - 1", RATIO, "simple return"),
    _lag("log_returns", "log(x[t] / x[t - bars])", RATIO, "logarithmic return"),
    _row("ts_sum", "sum of x", of("x")),
    _row("ts_mean", "sum of x / window", of("x")),
    _row("ts_var", "sum of (x - mean)^2 / (window - 1)", of(x=2), file="moments", at_least=2),
    _row("ts_std", "square root of ts_var", of("x"), file="moments", at_least=2),
    _row("ts_zscore", "(x[t] - ts_mean) / ts_std; NaN where the window is constant", RATIO, file="moments",
         at_least=2),
    _row("ts_skew", "bias-corrected skewness; NaN where the window is constant", RATIO, file="moments", at_least=3),
    _row("ts_kurt", "bias-corrected excess kurtosis; NaN where the window is constant", RATIO, file="moments",
         at_least=4),
    _row("ts_min", "smallest x", of("x")),
    _row("ts_max", "largest x", of("x")),
    _row("ts_argmin", "bars since the smallest x (0 = newest; the newest of equals)", BARS, source=_WORLDQUANT),
    _row("ts_argmax", "bars since the largest x (0 = newest; the newest of equals)", BARS, source=_WORLDQUANT),
    _row("ts_rank", "place of x[t] in its window: (below + (equal - 1) / 2) / (window - 1), in [0, 1]", RATIO,
         at_least=2, source=_WORLDQUANT),
    _row("ts_median", "middle value; mean of the two middle values for an even window", of("x"), file="order"),
    _row("ts_quantile", "linear interpolation between order statistics at `level`", of("x"), file="order",
         more=(number("level", 0.0, 1.0),)),
    _row("ts_mad", "sum of |x - ts_mean| / window", of("x"), file="moments", source=_QLIB),
    _row("decay_linear", "weighted mean, weights 1 (oldest) to window (newest)", of("x"), source=_WORLDQUANT),
    _row("ts_slope", "least-squares slope of x on time, per bar", of("x", says="of x per bar"), file="regression",
         at_least=2, source=_QLIB),
    _row("ts_rsquare", "squared correlation of x with time; NaN where the window is constant", RATIO,
         file="regression", at_least=3, source=_QLIB),
    _row("ts_resid", "x[t] less its least-squares line on time", of("x"), file="regression", at_least=3, source=_QLIB),
    _row("ts_cov", "sum of (x - mean)(y - mean) / (window - 1)", of("x", "y"), file="regression", inputs=_PAIR,
         at_least=2, commutative=True),
    _row("ts_corr", "Pearson correlation; NaN where either window is constant", RATIO, file="regression",
         inputs=_PAIR, at_least=2, commutative=True),
    _row("ts_beta", "ts_cov(y, x) / ts_var(x): slope of y on x; NaN where x is constant", of("y", x=-1),
         file="regression", inputs=("y", "x"), at_least=2, source="ordinary least squares"),
    _row("ts_autocorr", "ts_corr of x with itself `lag` bars earlier", RATIO, file="regression", at_least=2,
         more=(window("lag", default=1),), source="pandas Series.autocorr"),
    _row("ts_product", "product of x, oldest to newest", of(x="window"), file="dispersion"),
    _row("ts_range", "largest less smallest x", of("x"), file="dispersion"),
    _row("ts_minmax", "(x[t] - ts_min) / (ts_max - ts_min); NaN where the window is constant", plain("0 to 1"),
         file="dispersion", at_least=2, source="min-max scaling"),
    _row("ts_iqr", "0.75 quantile less 0.25 quantile (linear interpolation)", of("x"), file="dispersion",
         source="scipy.stats.iqr"),
    _row("ts_rms", "square root of the mean of x^2", of("x"), file="dispersion", source="root mean square"),
    _row("ts_semi_std", "square root of the mean of min(x - level, 0)^2: what falls short of `level`", of("x"),
         file="dispersion", more=(number("level", -LARGEST, LARGEST, 0.0),),
         source="Markowitz 1959, semi-deviation; Sortino and Price 1994"),
    _row("ts_tstat", "ts_mean / (ts_std / square root of window); NaN where the window is constant", RATIO,
         file="dispersion", at_least=2, source="Student 1908"),
    _row("ts_drawdown", "x[t] / ts_max - 1: what was lost since the highest; NaN where that is not above 0", RATIO,
         file="dispersion", source="drawdown"),
    _row("ts_max_drawdown", "smallest x / (highest x of the window up to there) - 1; NaN where a highest is not above "
         "0", RATIO, file="dispersion", source="drawdown"),
    _row("ts_spearman", "ts_corr of ranks in the window, equals averaged; NaN where either window is constant", RATIO,
         file="codependence", inputs=_PAIR, at_least=2, commutative=True, source="Spearman 1904"),
    _row("ts_coskew", "mean of (x - mean)(y - mean)^2 / (deviation of x * variance of y), both by window; NaN where "
         "either window is constant", RATIO, file="codependence", inputs=_PAIR, at_least=3,
         source="Harvey and Siddique 2000, standardised"),
    _row("ts_beta_resid", "y[t] less its least-squares line on x; NaN where x is constant", of("y"),
         file="codependence", inputs=("y", "x"), at_least=3, source="ordinary least squares"),
    _row("ts_resid_std", "square root of sum of squared residuals of y on x / (window - 2): deviation of y's own; NaN "
         "where x is constant", of("y"), file="codependence", inputs=("y", "x"), at_least=3,
         source="ordinary least squares"),
    _row("count_true", "bars in the window where x is not 0", BARS),
    _row("days_since", "bars since x was last not 0 (0 = now); NaN where that lies before the window", BARS),
    _row("coverage", "share of the window where x is present", RATIO, nan="never NaN after the warm-up",
         source="missing data"),
    Operator(
        "ffill_limit", Kind.WINDOW, ("x",), "x, or its last value if at most `limit` bars old", "lags.ffill_limit",
        of("x"), (window("limit"),), nan="NaN where no value is recent enough", source="pandas ffill", extra_rows=1,
    ),
    Operator(
        "ema", Kind.STATE, ("x",), "e + 2 / (span + 1) * (x - e), starting at the first x", "stateful.ema", of("x"),
        (window("span"),), nan="NaN where x is NaN, which leaves e as it was, and until `span` values were seen",
        source="pandas ewm(adjust=False, ignore_na=True)", state_rows=2,
    ),
)  # fmt: skip
