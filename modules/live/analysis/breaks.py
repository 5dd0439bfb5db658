"""The day's books beside the venue's statement: every execution, position and cent that the two have differently.

`orders/reconcile.py` is for the desk and takes in what the venue says; here nothing is taken in, both are compared. A
break stays open, with the day it was first seen, until it is gone from both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from modules.live.messages import AnyMessage, Busted, Corrected, Filled, Moved, Report, Restated

What = Literal["statement", "missing there", "missing here", "lots", "price", "value", "fee", "position", "cash"]
ORDER: Final[tuple[What, ...]] = (
    "statement", "missing there", "missing here", "lots", "price", "value", "fee", "position", "cash",
)  # fmt: skip


@dataclass
class Books:
    """What our own record says of an account since it was last agreed: positions, cash, and executions that stand.

    The same news again change nothing. A split (`Restated`) says what is held from then on.
    """

    positions: dict[str, int] = field(default_factory=dict)
    cash_micros: int = 0
    executions: dict[str, Filled] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)

    def take(self, message: AnyMessage) -> None:
        """Take in what was recorded; what is no money and no execution changes nothing."""
        if isinstance(message, Filled):
            if message.exec_id not in self.executions and message.exec_id not in self.voided:
                self._book(message)
        elif isinstance(message, Corrected):
            self._unbook(message.exec_id)
            if message.exec_id not in self.voided:
                self._book(_as_filled(message))
        elif isinstance(message, Busted):
            self._unbook(message.exec_id)
            self.voided.add(message.exec_id)
        elif isinstance(message, Moved):
            self.cash_micros += message.micros
        elif isinstance(message, Restated):
            self.positions[message.symbol] = message.lots

    def _book(self, fill: Filled) -> None:
        self.executions[fill.exec_id] = fill
        self._move(fill, 1)

    def _unbook(self, exec_id: str) -> None:
        fill = self.executions.pop(exec_id, None)
        if fill is not None:
            self._move(fill, -1)

    def _move(self, fill: Filled, sign: int) -> None:
        self.positions[fill.symbol] = self.positions.get(fill.symbol, 0) + sign * fill.lots
        self.cash_micros -= sign * (fill.value_micros + fill.fee_micros)


@dataclass(frozen=True)
class Break:
    """One difference. `subject`: an execution's id, a symbol, or "cash"; `micros`: its worth, None = not known."""

    what: What
    subject: str
    symbol: str | None
    ours: str
    theirs: str
    micros: int | None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same break on another day."""
        return self.what, self.subject


@dataclass(frozen=True)
class Open:
    """A break with the days (ISO dates) on which it was first and last seen, and on how many it was."""

    found: Break
    since: str
    last: str
    days: int


def compare(ours: Books, theirs: Report, prices: Mapping[str, float] | None = None) -> tuple[Break, ...]:
    """Every difference, in the order of `ORDER`, then by falling worth. `prices`: micros of the currency for a lot, to
    say what a position's difference is worth."""
    if not theirs.complete:
        return (
            Break("statement", theirs.venue, None, f"{len(ours.executions)} executions", "a part: ask again", None),
        )
    told = {f.exec_id: f for order in theirs.orders for f in order.fills}
    found = [*_executions(ours.executions, told), *_positions(ours.positions, theirs.positions, prices or {})]
    if ours.cash_micros != theirs.cash_micros:
        off = theirs.cash_micros - ours.cash_micros
        found.append(Break("cash", "cash", None, str(ours.cash_micros), str(theirs.cash_micros), off))
    return tuple(sorted(found, key=lambda b: (ORDER.index(b.what), -abs(b.micros or 0), b.subject)))


def _executions(ours: Mapping[str, Filled], theirs: Mapping[str, Filled]) -> Iterable[Break]:
    for exec_id, fill in ours.items():
        if exec_id not in theirs:
            yield Break("missing there", exec_id, fill.symbol, _words(fill), "nothing", _cost(fill))
    for exec_id, fill in theirs.items():
        mine = ours.get(exec_id)
        if mine is None:
            yield Break("missing here", exec_id, fill.symbol, "nothing", _words(fill), _cost(fill))
            continue
        what: tuple[tuple[What, float, float], ...] = (
            ("lots", mine.lots, fill.lots),
            ("price", mine.price, fill.price),
            ("value", mine.value_micros, fill.value_micros),
            ("fee", mine.fee_micros, fill.fee_micros),
        )
        differ = next(((name, a, b) for name, a, b in what if a != b), None)
        if mine.symbol != fill.symbol:
            yield Break("lots", exec_id, fill.symbol, _words(mine), _words(fill), _cost(fill))
        elif differ is not None:
            name, here, there = differ
            yield Break(name, exec_id, fill.symbol, f"{here:g}", f"{there:g}", _cost(fill) - _cost(mine))


def _positions(ours: Mapping[str, int], theirs: Mapping[str, int], prices: Mapping[str, float]) -> Iterable[Break]:
    for symbol in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(symbol, 0), theirs.get(symbol, 0)
        if here != there:
            price = prices.get(symbol)
            worth = None if price is None else round((there - here) * price)
            yield Break("position", symbol, symbol, f"{here} lots", f"{there} lots", worth)


def aged(before: Sequence[Open], found: Sequence[Break], day: str) -> tuple[Open, ...]:
    """Today's breaks with the day they were first seen on, longest open first; a day compared twice counts once.

    Raises ValueError where the day is before one that was compared already.
    """
    known = {b.found.key: b for b in before}
    late = next((b for b in before if b.last > day), None)
    if late is not None:
        raise ValueError(f"day {day} is before {late.last}, when a break was already open; give days in order")
    opened = []
    for one in found:
        old = known.get(one.key)
        more = 0 if old is not None and old.last == day else 1
        opened.append(Open(one, day, day, 1) if old is None else Open(one, old.since, day, old.days + more))
    return tuple(sorted(opened, key=lambda b: (b.since, ORDER.index(b.found.what), b.found.subject)))


def _cost(fill: Filled) -> int:
    """Cash that an execution took, in micros."""
    return fill.value_micros + fill.fee_micros


def _words(fill: Filled) -> str:
    return f"{fill.lots} lots of {fill.symbol} at {fill.price:g}"


def _as_filled(message: Corrected) -> Filled:
    return Filled(
        message.client_id, message.exec_id, message.symbol, message.lots, message.price, message.value_micros,
        message.fee_micros, message.ts_ns,
    )  # fmt: skip
