"""Chart indicators of direction and its strength."""

from __future__ import annotations

from modules.signal.operators.row import Operator

ROWS: tuple[Operator, ...] = ()
