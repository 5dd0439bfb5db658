"""Chart indicators that weigh moves by volume."""

from __future__ import annotations

from modules.signal.operators.row import Operator

ROWS: tuple[Operator, ...] = ()
