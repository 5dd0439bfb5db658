"""Small streams, and a strategy in Python that does what a script says: the machine is compiled once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from modules.engine.exchange import readers
from modules.engine.exchange.events import Instrument, Stream
from modules.engine.exchange.logs import Replay
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.strategy import Strategy, replay_python
from modules.panel import ns

SECOND = 1_000_000_000
OPEN = ns("2024-03-04T14:30:00")
A = Instrument("A", tick_size=0.01, lot_size=1.0, sector=0, sigma_day=0.01, adv=1_000_000.0)
B = Instrument("B", tick_size=0.05, lot_size=10.0, sector=0, sigma_day=0.01, adv=1_000_000.0)
FREE = ExchangeSettings(maker_bps=0.0, taker_bps=0.0, half_spread_bps=0.0, impact_k=0.0, max_age_s=3600.0)

Act = Callable[["Script"], Any]


class Script(Strategy):
    """Does `acts[k]` at the k-th market event, and keeps what it was told."""

    def __init__(self, acts: dict[int, Act]) -> None:
        self.acts = acts
        self.step = 0
        self.order: dict[str, int] = {}
        self.told: list[tuple[str, int, int]] = []
        self.fills: list[tuple[int, int]] = []

    def _next(self) -> None:
        act = self.acts.get(self.step)
        self.step += 1
        if act is not None:
            act(self)

    def on_quote(self, *args: int) -> None:
        self._next()

    def on_trade(self, *args: int) -> None:
        self._next()

    def on_depth(self, *args: int) -> None:
        self._next()

    def on_bar(self, *args: int) -> None:
        self._next()

    def on_fill(self, time_ns: int, symbol: int, order: int, signed_lots: int, price: int, maker: bool) -> None:
        self.fills.append((signed_lots, price))

    def on_order(self, time_ns: int, symbol: int, order: int, event: int, reason: int) -> None:
        self.told.append((str(order), event, reason))


def quotes(*rows: tuple[float, float, float, float], symbol: str = "A", start: int = 0) -> Stream:
    """Quotes a second apart: bid, lots at it, ask, lots at it."""
    return readers.quotes(
        pl.DataFrame(
            {
                "time": [OPEN + (start + k) * SECOND for k in range(len(rows))],
                "symbol": symbol,
                "bid": [r[0] for r in rows],
                "bid_size": [r[1] for r in rows],
                "ask": [r[2] for r in rows],
                "ask_size": [r[3] for r in rows],
            }
        ),
        [A, B],
    )


def trades(*rows: tuple[float, float, float, str | None], symbol: str = "A") -> Stream:
    """Trades: seconds after the opening, price, size, side of the aggressor."""
    return readers.trades(
        pl.DataFrame(
            {
                "time": [OPEN + int(r[0] * SECOND) for r in rows],
                "symbol": symbol,
                "price": [r[1] for r in rows],
                "size": [r[2] for r in rows],
                "side": pl.Series([r[3] for r in rows], dtype=pl.String),
            }
        ),
        [A, B],
    )


def depth(*messages: Sequence[tuple[str, float, float]], snapshot: bool = True) -> Stream:
    """Messages a second apart, each of (side, price, size); the first is a snapshot."""
    rows = [(k, m) for k, message in enumerate(messages) for m in message]
    return readers.depth(
        pl.DataFrame(
            {
                "time": [OPEN + k * SECOND for k, _ in rows],
                "symbol": "A",
                "side": [m[0] for _, m in rows],
                "price": [m[1] for _, m in rows],
                "size": [m[2] for _, m in rows],
                "snapshot": [snapshot and k == 0 for k, _ in rows],
            }
        ),
        [A, B],
    )


def bars(*rows: tuple[float, float, float, float, float], bar_s: float = 0.0) -> Stream:
    """Bars a minute apart: open, high, low, close, volume."""
    a = Instrument("A", 0.01, 1.0, 0, 0.01, 1_000_000.0, bar_s)
    return readers.bars(
        pl.DataFrame(
            {
                "time": [OPEN + k * 60 * SECOND for k in range(len(rows))],
                "symbol": "A",
                "open": [r[0] for r in rows],
                "high": [r[1] for r in rows],
                "low": [r[2] for r in rows],
                "close": [r[3] for r in rows],
                "volume": [r[4] for r in rows],
            }
        ),
        [a, B],
    )


def play(stream: Stream, acts: dict[int, Act], settings: ExchangeSettings = FREE) -> tuple[Script, Replay]:
    """Run a script over a stream."""
    script = Script(acts)
    return script, replay_python(stream, script, settings)
