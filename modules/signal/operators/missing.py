"""Operators for data with holes. `coalesce`, `is_missing`, `coverage` and `ffill_limit` stand with their kinds."""

from __future__ import annotations

from modules.signal.operators.row import LARGEST, Kind, Operator, Parameter, integer, number, window
from modules.signal.units import BARS, UnitRule, of

_SOURCE = "missing data"
_ALWAYS = "never NaN after the warm-up"


def _row(
    name: str, formula: str, units: UnitRule, nan: str, *more: Parameter, source: str = _SOURCE, ascending: bool = False
) -> Operator:
    return Operator(
        name, Kind.WINDOW, ("x",), formula, f"missing.{name}", units, (window(), *more), nan=nan, source=source,
        ascending=("least", "window") if ascending else (),
    )  # fmt: skip


ROWS: tuple[Operator, ...] = (
    Operator(
        "fill_value", Kind.ELEMENTWISE, ("x",), "x where it is present, else `value`; coalesce(x, 0) is read as this",
        "missing.fill_value", of("x"), (number("value", -LARGEST, LARGEST),), nan="never NaN", source="pandas fillna",
    ),
    _row("ts_last", "newest present value of the window, as ffill_limit(x, window - 1)", of("x"),
         "NaN where the whole window is NaN", source="pandas ffill"),
    _row("count_present", "bars of the window where x is present", BARS, _ALWAYS),
    _row("bars_missing", "bars of the window where x is NaN", BARS, _ALWAYS),
    _row("ts_mean_present", "mean of the present values of the window", of("x"),
         "NaN where fewer than `least` values of the window are present or the result is not finite",
         integer("least", 1, 5_000), source="pandas rolling(min_periods)", ascending=True),
)  # fmt: skip
