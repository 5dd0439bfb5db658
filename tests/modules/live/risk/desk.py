"""A small desk for tests: a core with marks, and orders that pass unless a test spoils them."""

from __future__ import annotations

import dataclasses

import msgspec

from modules.live.risk.core import Instrument, Intent, RiskCore
from modules.live.risk.limits import LiveLimits

NOW = 1_000_000_000_000
MICROS = 1_000_000
CASH = 1_000_000 * MICROS


def limits(**changed: object) -> LiveLimits:
    """Limits under which an ordinary order passes."""
    return LiveLimits.model_validate(
        {
            "strategies": {"alpha": 500_000.0, "beta": 500_000.0},
            "total_capital_usd": 5_000_000.0,
            "order_types": ["market", "limit"],
            "times_in_force": ["day", "ioc"],
            **changed,
        }
    )


def instrument(symbol: str = "AAA", **changed: object) -> Instrument:
    """Liquid, calm, easy to borrow."""
    usual = Instrument(symbol, "tech", sigma_day=0.02, adv_lots=1_000_000, located_lots=100_000)
    return dataclasses.replace(usual, **changed)  # type: ignore[arg-type]


def core(*instruments: Instrument, cash: int = CASH, price: float = 100.0, **changed: object) -> RiskCore:
    """A core whose instruments are priced now."""
    made = RiskCore(limits(**changed), instruments or (instrument(),), cash_micros=cash, mode="paper", build="b1")
    for x in made.instruments:
        made.mark(x.symbol, price, NOW)
    return made


_count = 0


def order(lots: int = 100, symbol: str = "AAA", **changed: object) -> Intent:
    """An order that passes."""
    global _count  # client ids of one process differ
    _count += 1
    usual = Intent(f"c{_count}", "alpha", symbol, lots, "sim", "paper", "b1", NOW)
    return msgspec.structs.replace(usual, **changed)


def hold(made: RiskCore, lots: int, symbol: str = "AAA", strategy: str = "alpha", price: float = 100.0) -> None:
    """Trade into a position of `lots`, in orders small enough to pass."""
    left = lots
    while left:
        size = max(-400, min(400, left))
        asked = order(size, symbol, strategy=strategy, now_ns=NOW)
        ruling = made.ask(asked)
        assert ruling.goes_out and ruling.allowed_lots == size, ruling
        made.filled(asked.client_id, size, price)
        left -= size
