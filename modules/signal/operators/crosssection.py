"""Operators that compare symbols at one time. Sums run in ascending order of value, whatever the symbols' order."""

from __future__ import annotations

from modules.signal.operators.row import NAN_STAYS, Kind, Operator, Parameter, integer, number
from modules.signal.units import RATIO, UnitRule, of


def _row(name: str, formula: str, units: UnitRule, source: str, *parameters: Parameter) -> Operator:
    return Operator(name, Kind.CROSS, ("x",), formula, f"cross.{name}", units, parameters, nan=NAN_STAYS, source=source)


_WORLDQUANT = "Kakushadze 2016, 101 Formulaic Alphas"

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
)  # fmt: skip
