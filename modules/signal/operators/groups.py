"""Operators that compare symbols within groups, or net of other variables.

A group is a code, such as `sector`: codes are compared for equality and for nothing else.
"""

from __future__ import annotations

from modules.signal.operators.row import Kind, Operator
from modules.signal.units import RATIO, UnitRule, of, plain

_WITHIN = "NaN where x or the group is NaN; such a symbol takes no part"
_OF_GROUP = "NaN where the group is NaN, which takes no part, or none of it is present"
_SOURCE = "pandas groupby, row by row"


def _row(name: str, formula: str, units: UnitRule, nan: str = _WITHIN) -> Operator:
    return Operator(
        name, Kind.CROSS, ("x", "group"), formula, f"groups.{name}", units.by("group"), nan=nan, source=_SOURCE
    )


ROWS: tuple[Operator, ...] = (
    _row("neutralize", "x - mean of its group", of("x")),
    _row("group_rank", "(rank - 1) / (count - 1) within the group, equals averaged; 0.5 for one symbol", RATIO),
    _row("group_zscore", "(x - mean) / standard deviation (count - 1) of the group; NaN where all are equal", RATIO),
    _row("group_scale", "x / sum of |x| of the group; NaN where that is 0", RATIO),
    _row("group_mean", "mean of the group, for each of its symbols", of("x"), _OF_GROUP),
    _row("group_median", "median of the group, for each of its symbols", of("x"), _OF_GROUP),
    _row("group_count", "symbols of the group that are present", plain("symbols"), "NaN where the group is NaN"),
    Operator(
        "regress_out", Kind.CROSS, ("y", "x1", "x2", "x3"),
        "y less its least-squares fit on x1, x2, x3 and a constant, across symbols", "projection.regress_out", of("y"),
        nan="a symbol that lacks y or an x takes no part and is NaN; all are NaN where the x depend on each other or "
        "there are fewer than two symbols more than x",
        source="ordinary least squares", optional=2,
    ),
    Operator(
        "vector_neutral", Kind.CROSS, ("x", "y"), "x - y * sum of x * y / sum of y^2, across symbols",
        "projection.vector_neutral", of("x"),
        nan="NaN where x or y is NaN, which takes no part, or all y are 0", source="orthogonal projection",
    ),
)  # fmt: skip
