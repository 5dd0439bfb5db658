"""Operators that compare symbols at one time. Sums run in ascending order of value, whatever the symbols' order."""

from __future__ import annotations

from modules.signal.operators.row import NAN_STAYS, Kind, Operator, Parameter, integer, number
from modules.signal.units import RATIO, TRUTH, UnitRule, of, plain

_WORLDQUANT = "Kakushadze 2016, 101 Formulaic Alphas"
_ROW = "cross-sectional statistics"


def _row(
    name: str, formula: str, units: UnitRule, source: str, *parameters: Parameter, file: str = "cross"
) -> Operator:
    return Operator(
        name, Kind.CROSS, ("x",), formula, f"{file}.{name}", units, parameters, nan=NAN_STAYS, source=source
    )


def _for_all(
    name: str,
    formula: str,
    units: UnitRule,
    *,
    inputs: tuple[str, ...] = ("x",),
    nan: str = "the same for every symbol; NaN where no symbol is present or the result is not finite",
) -> Operator:
    return Operator(name, Kind.CROSS, inputs, formula, f"summary.{name}", units, nan=nan, source=_ROW)


ROWS: tuple[Operator, ...] = (
    _row("rank", "(rank - 1) / (count - 1) in [0, 1], equals averaged; 0.5 where one symbol is present", RATIO,
         _WORLDQUANT),
    _row("zscore", "(x - mean) / standard deviation (count - 1); NaN where all are equal", RATIO, "standard score"),
    _row("demean", "x - mean of the row", of("x"), "cross-sectional demeaning"),
    _row("scale", "x / sum of |x|; NaN where that is 0", RATIO, _WORLDQUANT),
    _row("winsorize", "x, held between the row's `limit` and 1 - `limit` quantiles (linear interpolation)", of("x"),
         "Tukey 1962", number("limit", 0.0, 0.49, 0.05)),
    _row("quantile_bucket", "floor((rank - 0.5) / count * buckets): 0 (lowest) to buckets - 1, equals together",
         RATIO, "alphalens quantiles", integer("buckets", 2, 100, 5)),
    _row("rank_gauss", "normal quantile of rank / (count + 1), equals averaged", plain("standard normal"),
         "van der Waerden 1952, normal scores", file="summary"),
    _row("minmax", "(x - smallest) / (largest - smallest), in [0, 1]; NaN where all are equal", RATIO,
         "min-max scaling", file="summary"),
    _row("mad_clip", "x, held within `width` normal-consistent median absolute deviations of the median", of("x"),
         "Hampel 1974", number("width", 0.1, 100.0, 3.0), file="summary"),
    _row("top", "1 for the largest `share` of the present, rounded up, equals together; else 0", TRUTH,
         "portfolio sorts", number("share", 0.001, 1.0), file="summary"),
    _row("bottom", "1 for the smallest `share` of the present, rounded up, equals together; else 0", TRUTH,
         "portfolio sorts", number("share", 0.001, 1.0), file="summary"),
    _for_all("cs_mean", "mean of the row", of("x")),
    _for_all("cs_median", "median of the row", of("x")),
    _for_all("cs_std", "standard deviation of the row (count - 1); NaN for one symbol", of("x")),
    _for_all("cs_count", "symbols that are present", plain("symbols"), nan="never NaN"),
    _for_all("cs_weighted_mean", "sum of x * weight / sum of weight; NaN where that is 0", of("x"),
             inputs=("x", "weight"),
             nan="the same for every symbol; symbols that lack x or weight take no part; NaN where none is left"),
)  # fmt: skip
