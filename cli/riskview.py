"""The risk of an account after the trade: exposure, what it can lose, and where the venue has it otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modules.live.analysis.breaks import Books, Break, compare
from modules.live.analysis.exposure import Exposure, exposure
from modules.live.analysis.valueatrisk import ValueAtRisk, value_at_risk
from modules.live.messages import AnyMessage, Report, Status
from modules.live.risk.core import Instrument

if TYPE_CHECKING:
    from modules.panel import Panel


@dataclass(frozen=True)
class RiskView:
    """An account at a moment. `breaks` None: the venue was not asked. `loss` None: no history was given."""

    account: str
    mode: str
    killed: str | None
    refusing: str | None
    exposure: Exposure
    loss: ValueAtRisk | None
    history: str | None
    breaks: tuple[Break, ...] | None


def view(
    status: Status,
    instruments: Iterable[Instrument],
    *,
    bars: Panel | None,
    history: str | None,
    seed: int,
    entries: Iterable[AnyMessage],
    report: Report | None,
) -> RiskView:
    """The view. bars: of which the returns are taken, `history` its name; entries: the desk's journal; report: the
    venue's. Raises ExposureError, ValueAtRiskError."""
    known = {x.symbol: x for x in instruments}
    held = exposure(
        status.positions, known, nav_micros=status.nav_micros, cash_micros=status.cash_micros, at_ns=status.at_ns
    )
    loss = None
    if bars is not None:
        close = bars["close"]
        returns = np.full(close.shape, np.nan)
        returns[1:] = close[1:] / close[:-1] - 1.0
        loss = value_at_risk(held.weights, bars.symbols, returns, seed=seed)
    found = None
    if report is not None:
        found = compare(books_of(entries), report, _lot_prices(status, known))
    return RiskView(status.account, status.mode.upper(), status.killed, status.refusing, held, loss, history, found)


def books_of(entries: Iterable[AnyMessage]) -> Books:
    """What the desk's journal says since the venue's first whole report in it."""
    books: Books | None = None
    before: list[AnyMessage] = []
    for message in entries:
        if books is not None:
            books.take(message)
        elif isinstance(message, Report) and message.complete:
            fills = {f.exec_id: f for order in message.orders for f in order.fills}
            books = Books(dict(message.positions), message.cash_micros, fills)
        else:
            before.append(message)
    if books is None:
        books = Books()
        for message in before:
            books.take(message)
    return books


def _lot_prices(status: Status, known: Mapping[str, Instrument]) -> dict[str, float]:
    return {
        p.symbol: p.price * known[p.symbol].lot_size * 1e6
        for p in status.positions
        if p.price is not None and p.symbol in known
    }
