"""What stands on the screen: rows of words, made from what was seen. Pure, so that it can be tested as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from modules.live.orders.order import Order
from modules.live.units import MICROS
from modules.live.watch.alerts import Alert
from modules.live.watch.seen import Seen

Tone = Literal["plain", "good", "bad", "warn", "dim"]
BAR_CELLS: Final = 10
NEAR, AT = 0.6, 0.9
NONE: Final = "-"


@dataclass(frozen=True)
class Row:
    """One line of a panel: its cells, and how it is to be read."""

    cells: tuple[str, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Panel:
    """One panel. `right`: columns that are numbers. `empty`: what is said where there is no row."""

    name: str
    columns: tuple[str, ...]
    right: frozenset[str]
    rows: tuple[Row, ...]
    empty: str


@dataclass(frozen=True)
class Top:
    """The head of the screen: mode, account, money; and whether orders go out."""

    mode: str
    account: str
    figures: tuple[str, ...]
    state: str
    tone: Tone
    clock: str


def top(seen: Seen) -> Top:
    """The two lines that stand on every screen."""
    status = seen.status
    figures: tuple[str, ...] = ("NAV -",)
    if status is not None:
        nav, profit = status.nav_micros / MICROS, (status.nav_micros - status.day_nav_micros) / MICROS
        share = profit / (status.day_nav_micros / MICROS) if status.day_nav_micros else 0.0
        cash = f"cash {status.cash_micros / MICROS:,.2f}"
        figures = (f"NAV {nav:,.2f}", f"day {profit:+,.2f} ({share:+.2%})", cash)
    state, tone = _state(seen)
    return Top(seen.mode, seen.account, figures, state, tone, _clock(seen.at_ns))


def _state(seen: Seen) -> tuple[str, Tone]:
    status, stand = seen.status, seen.stand
    if status is None:
        return f"NO RISK CORE: {seen.riskd}", "bad"
    if status.killed is not None:
        return f"KILLED: {status.killed}", "bad"
    if status.refusing is not None:
        return f"NOTHING GOES OUT: {status.refusing}", "bad"
    if stand is None:
        return f"NO DESK: {seen.desk}", "bad"
    if stand.cancel_only is not None:
        return f"ONLY CANCELS GO OUT: {stand.cancel_only}", "warn"
    return "orders go out", "good"


def positions(seen: Seen) -> Panel:
    """What is held, its value, its profit since the journal began, and what is on its way."""
    status = seen.status
    nav = status.nav_micros / MICROS if status is not None else 0.0
    rows: list[Row] = []
    total = 0.0
    for p in sorted(status.positions if status is not None else (), key=lambda p: p.symbol):
        if not (p.lots or p.open_buy or p.open_sell or p.symbol in seen.paid_micros):
            continue
        value = None if p.price is None else p.lots * seen.lot_size(p.symbol) * p.price
        profit = None if value is None else value - seen.paid_micros.get(p.symbol, 0) / MICROS
        total += profit or 0.0
        old = status is not None and p.price_ns is not None and status.at_ns - p.price_ns > seen.stale_ns
        cells = (
            p.symbol,
            f"{p.lots:,}",
            _price(p.price),
            NONE if value is None else f"{value:,.0f}",
            NONE if value is None or nav <= 0.0 else f"{value / nav:.2%}",
            NONE if profit is None else f"{profit:+,.2f}",
            f"{p.open_buy:,}/{p.open_sell:,}",
        )
        rows.append(Row(cells, "warn" if old else _tone(profit)))
    if rows:
        rows.append(Row(("all", "", "", "", "", f"{total:+,.2f}", ""), _tone(total)))
    columns = ("symbol", "lots", "price", "value", "NAV", "P&L", "open")
    return Panel("positions", columns, frozenset(columns[1:]), tuple(rows), "nothing is held")


def orders(seen: Seen) -> Panel:
    """Those that may be open, then those that ended last."""
    columns = ("order", "strategy", "symbol", "lots", "filled", "limit", "state")
    rows = tuple(Row(_order(o, seen.tally.refusals.get(o.ticket.client_id, "")), _order_tone(o)) for o in seen.orders)
    return Panel("orders", columns, frozenset(("lots", "filled", "limit")), rows, "no order yet")


def _order(order: Order, rule: str) -> tuple[str, ...]:
    ticket = order.ticket
    limit = "market" if ticket.limit_micros is None else _price(ticket.limit_micros / MICROS)
    return (
        ticket.client_id[-8:],
        ticket.strategy or NONE,
        ticket.symbol,
        f"{order.lots:+,}",
        f"{order.filled:+,}" if order.filled else "0",
        limit,
        f"{order.state.value} {rule}".strip(),
    )


def _order_tone(order: Order) -> Tone:
    if order.state.value == "unknown":
        return "bad"
    if order.state.value == "rejected":
        return "warn"
    return "plain" if order.is_open else "dim"


def limits(seen: Seen) -> Panel:
    """How much of each limit is used, the nearest first."""
    uses = seen.status.uses if seen.status is not None else ()
    shares = sorted(((u.used / u.limit if u.limit > 0.0 else 1.0, u) for u in uses), key=lambda pair: -pair[0])
    rows = tuple(
        Row((u.rule, _bar(share), f"{share:.0%}", _figure(u.used), _figure(u.limit)), _use_tone(share))
        for share, u in shares
    )
    columns = ("limit", "use", "%", "used", "of")
    return Panel("risk", columns, frozenset(("%", "used", "of")), rows, "the risk core does not answer")


def _use_tone(share: float) -> Tone:
    return "bad" if share >= AT else "warn" if share >= NEAR else "plain"


def _bar(share: float) -> str:
    full = round(max(0.0, min(1.0, share)) * BAR_CELLS)
    return "█" * full + "░" * (BAR_CELLS - full)


def book(seen: Seen) -> Panel:
    """The books that the runner believes, best levels first; reference prices of symbols without one."""
    rows: list[Row] = []
    books = seen.stand.books if seen.stand is not None else ()
    for one in books:
        name = f"{one.symbol} {one.venue}"
        rows.append(Row((name, "", "", "", one.stalled or ""), "bad" if one.stalled else "plain"))
        for depth in range(max(len(one.bids), len(one.asks))):
            bid = one.bids[depth] if depth < len(one.bids) else None
            ask = one.asks[depth] if depth < len(one.asks) else None
            cells = (
                "",
                NONE if bid is None else f"{bid.lots:,.0f}",
                _price(None if bid is None else bid.price),
                _price(None if ask is None else ask.price),
                NONE if ask is None else f"{ask.lots:,.0f}",
            )
            rows.append(Row(cells))
    shown = {one.symbol for one in books}
    now = seen.at_ns if seen.status is None else seen.status.at_ns  # of the venue, where it plays recorded data
    rows += [
        Row((symbol, "", _price(mark.price), "", _age(now - mark.ts_ns)), "dim")
        for symbol, mark in sorted(seen.marks.items())
        if symbol not in shown
    ]
    columns = ("book", "bid size", "bid", "ask", "ask size")
    return Panel("book", columns, frozenset(columns[1:]), tuple(rows), "no book, no price yet")


def alerts(seen: Seen, standing: Sequence[Alert]) -> Panel:
    """What is wrong now, the worst first."""
    rows = tuple(
        Row((_age(seen.at_ns - a.since_ns), a.rule, a.sentence), "bad" if a.severity == "critical" else "warn")
        for a in standing
    )
    return Panel("alerts", ("for", "alert", "what"), frozenset(("for",)), rows, "no alert stands")


def feeds(seen: Seen) -> Panel:
    """Connections: the processes, venues, feeds, the journal."""
    rows = [_link("riskd", "process", seen.riskd), _link("desk", "process", seen.desk)]
    for venue, is_up in seen.status.venues.items() if seen.status is not None else ():
        rows.append(_link(venue, "venue", None if is_up else "down"))
    if seen.stand is not None:
        rows += [_link(feed, "feed", why) for feed, why in seen.stand.feeds.items()]
        waiting = max(0, seen.tally.entries - 1 - seen.stand.durable)
        fault = seen.stand.journal_fault or seen.journal
        rows.append(_link("journal", f"{seen.tally.entries:,} entries, {waiting} not on disk", fault))
    return Panel("feeds", ("name", "what", "state"), frozenset(), tuple(rows), "nothing is known")


def _link(name: str, what: str, why: str | None) -> Row:
    return Row((name, what, "up" if why is None else why), "good" if why is None else "bad")


PANELS: Final[tuple[tuple[str, Callable[[Seen, Sequence[Alert]], Panel]], ...]] = (
    ("positions", lambda seen, _: positions(seen)),
    ("orders", lambda seen, _: orders(seen)),
    ("risk", lambda seen, _: limits(seen)),
    ("book", lambda seen, _: book(seen)),
    ("alerts", alerts),
    ("feeds", lambda seen, _: feeds(seen)),
)


def _tone(profit: float | None) -> Tone:
    return "plain" if not profit else "good" if profit > 0.0 else "bad"


def _price(price: float | None) -> str:
    if price is None:
        return NONE
    return f"{price:,.2f}" if price >= 1.0 else f"{price:.4f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.4f}"


def _age(ns: int) -> str:
    seconds = max(0, ns) // 1_000_000_000
    if seconds < 100:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 6_000 else f"{seconds // 3_600} h"


def _clock(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC).strftime("%H:%M:%S UTC")
