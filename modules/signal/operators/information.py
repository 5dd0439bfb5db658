"""Order, memory and dependence of a window."""

from __future__ import annotations

from modules.signal.operators.row import Operator

ROWS: tuple[Operator, ...] = ()
