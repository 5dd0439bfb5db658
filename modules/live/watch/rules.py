"""The rules of the alerts, as a table: what is wrong, how bad it is, and how long it may last before it is told.

A rule gives for what was seen the subjects of which it holds, each with a sentence. All are told within 5 s of when it
began: the longest hold and the interval of looking leave room for the telling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from modules.live.orders.states import State
from modules.live.watch.seen import Seen

Severity = Literal["critical", "warning"]
NEAR: Final = 0.9
"""Share of a limit from which on it is near."""

LOSS_NEAR: Final = 0.6
REFUSALS: Final = 10
REFUSALS_NS: Final = 60_000_000_000
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class AlertRule:
    """`hold_s`: how long it must hold before it is told. `remedy`: what a human does first."""

    name: str
    severity: Severity
    hold_s: float
    remedy: str
    find: Callable[[Seen], Found]


def _riskd_down(seen: Seen) -> Found:
    if seen.riskd is not None:
        yield "riskd", f"the risk core does not answer: {seen.riskd}"


def _desk_down(seen: Seen) -> Found:
    if seen.desk is not None:
        yield "desk", f"the desk does not answer: {seen.desk}"


def _killed(seen: Seen) -> Found:
    if seen.status is not None and seen.status.killed is not None:
        yield "kill", f"the kill switch is latched: {seen.status.killed}"


def _refusing(seen: Seen) -> Found:
    if seen.status is not None and seen.status.refusing is not None and seen.status.killed is None:
        yield "riskd", f"the risk core lets nothing out: {seen.status.refusing}"


def _cancel_only(seen: Seen) -> Found:
    if seen.stand is not None and seen.stand.cancel_only is not None:
        yield "desk", f"only cancels go out: {seen.stand.cancel_only}"


def _breaks(seen: Seen) -> Found:
    for sentence in seen.stand.breaks if seen.stand is not None else ():
        yield sentence, f"the venue has it otherwise: {sentence}"


def _uses(seen: Seen, loss: bool) -> Found:
    for use in seen.status.uses if seen.status is not None else ():
        is_loss = use.rule in ("DAILY_LOSS", "DRAWDOWN")
        if is_loss == loss and use.limit > 0.0 and use.used >= (LOSS_NEAR if loss else NEAR) * use.limit:
            yield use.rule, f"{use.rule} is at {use.used:.4g} of {use.limit:.4g} ({use.used / use.limit:.0%})"


def _loss_near(seen: Seen) -> Found:
    return _uses(seen, loss=True)


def _limit_near(seen: Seen) -> Found:
    return _uses(seen, loss=False)


def _unknown_order(seen: Seen) -> Found:
    for order in seen.orders:
        if order.state is State.UNKNOWN:
            name = order.ticket.client_id
            yield name, f"nobody can say what became of order {name} ({order.ticket.lots} {order.ticket.symbol})"


def _venue_down(seen: Seen) -> Found:
    for venue, is_up in seen.status.venues.items() if seen.status is not None else ():
        if not is_up:
            yield venue, f"the connection to {venue} is down"


def _feed_stalled(seen: Seen) -> Found:
    for feed, why in seen.stand.feeds.items() if seen.stand is not None else ():
        if why is not None:
            yield feed, f"feed {feed} has stalled: {why}"


def _price_stale(seen: Seen) -> Found:
    """By the risk core's clock, on recorded data the venue's. No price is awaited of a market that is closed."""
    opened_ns = -1 if seen.stand is None else seen.stand.opened_ns
    if seen.status is None or opened_ns is None or seen.status.at_ns - opened_ns <= seen.stale_ns:
        return
    for held in seen.status.positions:
        if held.lots and (held.price_ns is None or seen.status.at_ns - held.price_ns > seen.stale_ns):
            age = "never came" if held.price_ns is None else f"is {(seen.status.at_ns - held.price_ns) / 1e9:.1f} s old"
            yield held.symbol, f"the price of {held.symbol} {age}, and {held.lots} lots are held"


def _journal_fault(seen: Seen) -> Found:
    if seen.stand is not None and seen.stand.journal_fault is not None:
        yield "desk", f"the journal takes nothing: {seen.stand.journal_fault}"
    if seen.journal is not None:
        yield "reader", f"the journal cannot be read: {seen.journal}"


def _remark(seen: Seen) -> Found:
    for words in seen.stand.remarks if seen.stand is not None else ():
        yield words, words


def _builds_differ(seen: Seen) -> Found:
    if seen.status is not None and seen.stand is not None and seen.status.build != seen.stand.build:
        yield "build", f"the risk core runs {seen.status.build[:12]}, the desk {seen.stand.build[:12]}"


def _refusals(seen: Seen) -> Found:
    recent = sum(1 for at in seen.tally.rejections if seen.at_ns - at <= REFUSALS_NS)
    if recent >= REFUSALS:
        yield "desk", f"the risk core refused {recent} orders within a minute"


RULES: Final = (
    AlertRule("RISKD_DOWN", "critical", 1.0, "start it: cws riskd; to close all: cws kill --flatten", _riskd_down),
    AlertRule("DESK_DOWN", "critical", 2.0, "start it: cws live; nothing is decided meanwhile", _desk_down),
    AlertRule("KILLED", "critical", 0.0, "find out why, then cws kill --reset under your name", _killed),
    AlertRule("REFUSING", "critical", 2.0, "read the reason; a break must be found before it goes on", _refusing),
    AlertRule("BREAK", "critical", 1.0, "compare with the venue's own statement", _breaks),
    AlertRule("JOURNAL", "critical", 1.0, "free space on its disk", _journal_fault),
    AlertRule("VENUE_DOWN", "critical", 1.0, "ask the venue; orders that are there stay there", _venue_down),
    AlertRule("BUILDS_DIFFER", "critical", 1.0, "start both from the same commit", _builds_differ),
    AlertRule("LOSS_NEAR", "critical", 0.0, "close what is wrong, or cws kill --flatten", _loss_near),
    AlertRule("CANCEL_ONLY", "warning", 2.0, "wait for the reconciliation, or read its reason", _cancel_only),
    AlertRule("LIMIT_NEAR", "warning", 1.0, "the risk core cuts or refuses what is above it", _limit_near),
    AlertRule("UNKNOWN_ORDER", "warning", 2.0, "the venue is asked; it is never sent again", _unknown_order),
    AlertRule("FEED_STALLED", "warning", 1.0, "orders that add risk wait; cancels go", _feed_stalled),
    AlertRule("PRICE_STALE", "warning", 2.0, "see whether the market is open and the feed alive", _price_stale),
    AlertRule("REFUSALS", "warning", 0.0, "a strategy asks for what it may not have", _refusals),
    AlertRule("REMARK", "warning", 0.0, "look at the order beside the venue's statement", _remark),
)
