"""What stands on a tape beside the venue's own words: every message that went in or out of the runner."""

from __future__ import annotations

from typing import Literal, TypeAlias

from modules.live.feeds.news import FeedNews
from modules.live.messages import Message, Mode, VenueNews
from modules.live.risk.rules import Rule
from modules.live.runner.account import AccountState, Decision


class StageInForce(Message, frozen=True, tag="stage"):
    """One module as it ran. `settings` is canonical JSON."""

    module: str
    settings: str
    code_digest: str


class Began(Message, frozen=True, tag="began"):
    """First on a tape: what is traded, by which code, and the account as it stood.

    `records`, `instruments`, `facts`: digests of the tables beside the tape that were known when the runner began;
    records that became known since follow as rows; `forgotten`: the table of the bars of before, of which only the
    labels are left. `clock`: "venue" where recorded data were played.
    """

    account: str
    mode: Mode
    venue: str
    strategy: str
    build: str
    symbols: tuple[str, ...]
    chosen: tuple[str, ...] | None
    start_ns: int
    seed: int
    stages: dict[str, StageInForce]
    state: AccountState
    level: str = "paper"
    clock: Literal["wall", "venue"] = "venue"
    records: str = ""
    instruments: str = ""
    facts: str | None = None
    forgotten: str | None = None


class BarDue(Message, frozen=True, tag="bar_due"):
    """Bar `ts_ns` closed; what was known at `known_ns` is what its decision rests on."""

    ts_ns: int
    known_ns: int


class Ordered(Message, frozen=True, tag="ordered"):
    """One ticket as decided."""

    client_id: str
    symbol: str
    lots: int


class Decided(Message, frozen=True, tag="decided"):
    """What was decided at a bar's close, on which account. `failed`: why nothing was, None = it was."""

    ts_ns: int
    nav_micros: int
    cash_micros: int
    decisions: tuple[Decision, ...]
    cancels: tuple[str, ...]
    tickets: tuple[Ordered, ...]
    failed: str | None = None


class Outcome(Message, frozen=True, tag="outcome"):
    """What became of a ticket when it was submitted. `lots`: what may be at the venue, 0 = nothing is.

    `rule`, `limit`, `value`: of the risk core, where it spoke; `words`: why nothing went out, where it did not.
    """

    client_id: str
    status: Literal["sent", "refused", "unknown", "held"]
    lots: int
    rule: int | None = None
    limit: float | None = None
    value: float | None = None
    words: str = ""

    @property
    def why(self) -> str:
        """Why nothing went out: the desk's words, or the rule that spoke, with its limit and value."""
        if self.words or self.rule is None:
            return self.words
        figures = [f"{n} {x:.6g}" for n, x in (("limit", self.limit), ("value", self.value)) if x is not None]
        return ", ".join([Rule(self.rule).name, *figures])


class CashTold(Message, frozen=True, tag="cash_told"):
    """The venue's cash, asked at a restart, beside ours: the difference came or went while nobody listened."""

    ours_micros: int
    theirs_micros: int
    ts_ns: int


class TicksSeen(Message, frozen=True, tag="ticks_seen"):
    """What the market events so far came to, when they were recorded: how many, and the sum of the fold."""

    events: int
    total: str


class Ended(Message, frozen=True, tag="ended"):
    """Last on a tape that was closed in order."""

    why: str


Taped: TypeAlias = Began | BarDue | Decided | Outcome | CashTold | TicksSeen | Ended | VenueNews | FeedNews
