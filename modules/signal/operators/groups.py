"""Operators that compare symbols within groups, or net of other variables."""

from __future__ import annotations

from modules.signal.operators.row import Operator

ROWS: tuple[Operator, ...] = ()
