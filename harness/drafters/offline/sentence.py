"""A sentence with its parts, and the events that it mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.drafters.offline.lexicon import Mark
from harness.drafters.offline.scene import MOVES, Part
from harness.drafters.offline.words import Token
from harness.drafters.port import Outcome, Pole, Sign

EXAMPLES = ("stocks that fell the most last week rebound", "stocks with the lowest volatility outperform")
RETURN = "return"
RELATIVE = "relative_return"
SECTOR = "sector_relative"
_SECTORS = frozenset({"sector", "industry", "group"})
LEAD_LAG = "lead_lag"
DRAWDOWN = "drawdown"
MARKET = frozenset({"market", "index", "benchmark", "peer", "rest", "univers", "sector", "industry", "group"})


class AskError(Exception):
    """The text leaves something open; `question` asks for exactly that, `defaults` offers answers."""

    def __init__(self, question: str, *defaults: str) -> None:
        super().__init__(question)
        self.question = question
        self.defaults = defaults


@dataclass(frozen=True)
class Event:
    """A mention of an event. `moves`: it is a price move, so it can continue or revert."""

    name: str
    pole: Pole
    moves: bool
    mark: Mark
    index: int
    effect: str | None = None
    gated: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Claim:
    """The event that ranks the stocks, the sign of its relation to what follows, and the events that gate it."""

    event: Event
    outcome: Outcome | None
    sign: Sign
    conditions: tuple[Event, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Sentence:
    """Tokens and parts of one text, with which events are price moves."""

    tokens: Sequence[Token]
    parts: Sequence[Part]
    moves: Mapping[str, bool]

    def phrase(self, mark: Mark) -> str:
        """The words of a mark."""
        return " ".join(t.text for t in self.tokens[mark.start : mark.end])

    def says(self, event: Event) -> str:
        """The words of an event, quoted."""
        return f"'{self.phrase(event.mark)}'"

    def stopped(self, start: int, end: int) -> bool:
        """Whether punctuation stands between two tokens."""
        return any(t.is_stop for t in self.tokens[start:end])

    def events(self) -> list[Event]:
        """Every event mentioned, in order."""
        found = []
        for i, part in enumerate(self.parts):
            event = self._event(i, part)
            if event is not None:
                found.append(event)
        return found

    def _event(self, i: int, part: Part) -> Event | None:
        mark = part.mark
        if part.role != "event" or mark.kind in ("neg", "skip_word", "turn", "go_on"):
            return None
        gated = self._opened_by_when(i) or (
            i > 0 and self.parts[i - 1].mark.kind == "gate" and mark.start - self.parts[i - 1].mark.end <= 3
        )
        if mark.kind == "effect":
            return Event(
                mark.event,
                "bare",
                self.moves[mark.event],
                mark,
                i,
                effect=mark.value.split(":")[1],
                negated=part.negated,
            )
        if mark.kind == "event":
            pole: Pole = mark.value  # type: ignore[assignment]
            return Event(mark.event, pole, self.moves[mark.event], mark, i, gated=gated, negated=part.negated)
        pole = "high" if mark.kind == "winners" else "low" if mark.kind == "losers" else MOVES[mark.kind]
        after = self.parts[i + 1].mark if i + 1 < len(self.parts) else None
        against_sector = after is not None and self.says_sector(after)
        name = (SECTOR if against_sector else RELATIVE) if after is not None and self.is_market(mark, after) else RETURN
        return Event(name, pole, True, mark, i, gated=gated, negated=part.negated)

    def _opened_by_when(self, i: int) -> bool:
        """Whether the event is the first one of a clause that begins with "when", "if" or "after"."""
        for j in range(i - 1, -1, -1):
            mark = self.parts[j].mark
            if mark.kind == "when" and self.tokens[mark.start].text in ("while", "whereas"):
                return False
            if mark.kind == "when":
                return not self.stopped(mark.end, self.parts[i].mark.start)
            if self.parts[j].role is not None:
                return False
        return False

    def says_sector(self, mark: Mark) -> bool:
        """Whether a phrase compares with the sector or the industry, and a skill measures against it."""
        said = {t.stem for t in self.tokens[mark.start : mark.end]}
        return SECTOR in self.moves and bool(said & _SECTORS)

    def is_market(self, verb: Mark, after: Mark) -> bool:
        """Whether what follows a verb like "outperform" is the market or the peers, not another event."""
        if verb.kind not in ("perform_up", "perform_down"):
            return False
        close = after.start - verb.end <= 2
        if after.event == "sector_return":  # "beat a falling sector"
            return close
        return after.kind == "peers" or (after.kind == "subject" and close and self.tokens[after.start].stem in MARKET)


def opposite(event: Event) -> Event:
    """A denied event that ranks stocks is its other end: those that did not fall are those that rose."""
    poles: dict[Pole, Pole] = {"high": "low", "low": "high", "bare": "bare"}
    return replace(event, pole=poles[event.pole], negated=False)
