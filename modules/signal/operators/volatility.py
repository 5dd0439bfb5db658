"""Volatility and liquidity as bars alone can tell them."""

from __future__ import annotations

from modules.signal.operators.row import Operator

ROWS: tuple[Operator, ...] = ()
