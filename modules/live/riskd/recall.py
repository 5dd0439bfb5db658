"""After a restart: the journal folded into the account, before the venue is opened.

What went out counts as open until the venue says otherwise; ids that passed today are remembered, and so are the day's
figures.
"""

from __future__ import annotations

from typing import cast

from modules.live.journal.port import Journal
from modules.live.messages import Ask, Connection, Marked, RefusedMany, Report, Ruled, Status, Stepped, VenueNews
from modules.live.risk.core import Day
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.account import Account
from modules.live.riskd.days import Days
from modules.live.riskd.flatten import STRATEGY
from modules.live.riskd.state import day_of
from modules.live.units import DAY_NS


def recall(journal: Journal, account: Account, days: Days) -> int:
    """Fold; returns the entries read. Raises JournalError where the journal cannot be trusted."""
    asked: Ask | None = None
    passed: dict[str, int] = {}
    restored: tuple[int, Day] | None = None
    count, last = 0, -1
    for entry in journal.read():
        count += 1
        message = entry.message
        if isinstance(message, Ask):
            asked = message
        elif isinstance(message, Ruled):
            if asked is not None and asked.client_id == message.client_id and _went_out(asked, message):
                account.today = message.at_ns // DAY_NS
                passed[message.client_id] = account.today
                account.resumed(asked, message.allowed, message.at_ns)
        elif isinstance(message, Report):
            account.take_over(message)
        elif isinstance(message, Status):
            if message.at_ns <= 0:
                continue  # said before NAV was known
            restored = (message.at_ns // DAY_NS, day_of(message))
            last = max(last, restored[0])
        elif not isinstance(message, Connection | Stepped | Marked | RefusedMany):
            account.hear(cast(VenueNews, message))
    account.doubts.clear()  # the venue is asked anyway
    days.recalled(last, restored)
    core = account.core
    core.forget()
    core.remember(i for i, day in passed.items() if day == days.day)
    core.remember(core.open_orders)
    return count


def _went_out(ask: Ask, ruled: Ruled) -> bool:
    if ruled.allowed == 0 or ruled.rule == Rule.CANCEL_ONLY:
        return False
    return ruled.answer != Answer.FLATTEN or ask.strategy == STRATEGY  # the answer FLATTEN to others only advises
