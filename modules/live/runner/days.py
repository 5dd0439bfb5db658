"""What was traded, day by day, as the tapes tell it: NAV, what was ordered and filled, and at what price."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modules.live.messages import Busted, Filled, Marked
from modules.live.runner.resume import tapes
from modules.live.runner.tape import read_messages
from modules.live.runner.taped import Began, Decided


@dataclass
class Day:
    """One UTC day. Lots are without sign; `shortfall_usd` is what fills cost beyond the close of their decision."""

    day: str
    began: Began
    first_nav_micros: int
    last_nav_micros: int
    navs: list[int] = field(default_factory=list)
    bars: int = 0
    failed: int = 0
    orders: int = 0
    ordered_lots: int = 0
    filled_lots: int = 0
    traded_usd: float = 0.0
    shortfall_usd: float = 0.0
    fees_usd: float = 0.0

    @property
    def net_return(self) -> float:
        """NAV at the day's last bar over that before its first, less 1."""
        return self.last_nav_micros / self.first_nav_micros - 1.0 if self.first_nav_micros > 0 else math.nan


@dataclass(frozen=True)
class Figures:
    """Days of one strategy taken together. NaN = there is too little to say."""

    days: int
    pnl_usd: float
    sharpe: float
    fill_rate: float
    slippage_bps: float
    shortfall_bps: float
    max_drawdown: float


def days(folder: Path, strategy: str, level: str | None = None) -> list[Day]:
    """The days that a strategy traded (at a level), oldest first. Raises TapeError."""
    found: list[Day] = []
    marks: dict[str, float] = {}
    decided: dict[str, float] = {}
    seen: set[str] = set()
    for path in tapes(folder):
        day: Day | None = None
        for message in read_messages(path):
            if isinstance(message, Began):
                if message.strategy != strategy or (level is not None and message.level != level):
                    break
                nav = message.state.nav_micros
                day = Day(path.stem, message, nav, nav)
                found.append(day)
            elif isinstance(message, Filled) and message.exec_id in seen:
                continue  # told again after a restart
            elif day is not None:
                if isinstance(message, Filled):
                    seen.add(message.exec_id)
                _take(day, message, marks, decided)
    return found


def _take(day: Day, message: object, marks: dict[str, float], decided: dict[str, float]) -> None:
    if isinstance(message, Marked):
        marks[message.symbol] = message.price
    elif isinstance(message, Decided):
        day.bars += 1
        day.failed += message.failed is not None
        day.last_nav_micros = message.nav_micros
        day.navs.append(message.nav_micros)
        day.orders += len(message.tickets)
        for ticket in message.tickets:
            day.ordered_lots += abs(ticket.lots)
            decided[ticket.client_id] = marks.get(ticket.symbol, math.nan)
    elif isinstance(message, Filled):
        day.filled_lots += abs(message.lots)
        value = abs(message.value_micros) / 1e6
        day.traded_usd += value
        day.fees_usd += message.fee_micros / 1e6
        at = decided.get(message.client_id, math.nan)
        if at == at and message.price > 0.0:
            day.shortfall_usd += math.copysign(value, message.lots) * (message.price - at) / message.price
    elif isinstance(message, Busted):
        day.failed += 1


def figures(found: list[Day], per_year: float = 252.0) -> Figures:
    """The days taken together; Sharpe is net and annual, of daily returns."""
    returns = [d.net_return for d in found]
    traded = sum(d.traded_usd for d in found)
    ordered = sum(d.ordered_lots for d in found)
    slipped = sum(d.shortfall_usd for d in found)
    fees = sum(d.fees_usd for d in found)
    return Figures(
        days=len(found),
        pnl_usd=(found[-1].last_nav_micros - found[0].first_nav_micros) / 1e6 if found else 0.0,
        sharpe=sharpe(returns, per_year),
        fill_rate=sum(d.filled_lots for d in found) / ordered if ordered else math.nan,
        slippage_bps=1e4 * slipped / traded if traded else math.nan,
        shortfall_bps=1e4 * (slipped + fees) / traded if traded else math.nan,
        max_drawdown=drawdown(nav for d in found for nav in d.navs),
    )


def sharpe(returns: list[float], per_year: float) -> float:
    """Mean over standard deviation (n - 1), annual; NaN below two returns, or where they do not move."""
    if len(returns) < 2:
        return math.nan
    mean = math.fsum(returns) / len(returns)
    spread = math.sqrt(math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1))
    return mean / spread * math.sqrt(per_year) if spread > 0.0 else math.nan


def drawdown(navs: Iterable[float]) -> float:
    """Deepest fall from a peak, as a fraction of it."""
    peak = deepest = 0.0
    for nav in navs:
        peak = max(peak, nav)
        if peak > 0.0:
            deepest = max(deepest, 1.0 - nav / peak)
    return deepest
