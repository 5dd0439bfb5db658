"""A day again from its tape: every decision made anew on the recorded account, and compared with what was decided.

The account follows what was recorded, so each decision that differs is a difference of its own, not one that follows
from those before it. `python -m modules.live.runner.replay TAPE [SETTINGS]` writes the decisions that this checkout's
code makes, one JSON line a bar; that is how another commit is asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from modules.live.messages import Message, VenueNews
from modules.live.runner.account import Account
from modules.live.runner.core import Runner, decided_at
from modules.live.runner.programmes import InForce, edited, programme_of, trading_of
from modules.live.runner.reach import enough
from modules.live.runner.tables import LABEL, table
from modules.live.runner.tape import Kind, TapeError, read_tape
from modules.live.runner.taped import BarDue, Began, CashTold, Decided, Ended, Ordered, Outcome
from modules.panel import iso


@dataclass(frozen=True)
class Difference:
    """One thing that was decided otherwise, at a bar: what, as recorded, and as found now ("" = it was not there)."""

    ts_ns: int
    what: str
    recorded: str
    found: str

    @property
    def sentence(self) -> str:
        """For the terminal."""
        return f"{iso(self.ts_ns)} {self.what}: recorded {self.recorded or 'nothing'}, found {self.found or 'nothing'}"


@dataclass
class Replayed:
    """A day made anew. `unsent`: tickets of the last bar that nothing says were submitted."""

    path: Path
    began: Began
    runner: Runner
    recorded: list[Decided] = field(default_factory=list)
    found: list[Decided] = field(default_factory=list)
    unsent: dict[str, Ordered] = field(default_factory=dict)
    edited: tuple[str, ...] = ()
    news: int = 0
    ended: str | None = None
    working: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def undecided(self) -> Decided | None:
        """The decision on a bar that was due when the runner ended, and is on no tape yet."""
        return self.found[-1] if len(self.found) > len(self.recorded) else None

    @property
    def differences(self) -> list[Difference]:
        """Everything that was decided otherwise, in order."""
        return compare(self.recorded, self.found[: len(self.found) - (self.undecided is not None)])

    @property
    def orders(self) -> int:
        """Tickets that were recorded."""
        return sum(len(d.tickets) for d in self.recorded)


def replay(path: Path, base: InForce | None = None) -> Replayed:
    """The day of a tape, by the code of this checkout, and the settings that it changed against `base`.

    Raises TapeError, RegistryError, EngineError.
    """
    made: Replayed | None = None
    due: BarDue | None = None
    for frame in read_tape(path):
        if isinstance(frame.message, Began):
            if made is not None:
                raise TapeError(f"{path} begins twice; the tape was changed")
            made = _begin(path, frame.message, base)
        elif made is None:
            raise TapeError(f"{path} does not begin with what is traded; the tape was changed")
        elif frame.kind is Kind.RECORDS and frame.rows is not None:
            made.runner.known(frame.rows)
        elif isinstance(frame.message, BarDue):
            due = frame.message
            _decide(made, due)
        elif isinstance(frame.message, Decided):
            if due is None or due.ts_ns != frame.message.ts_ns:
                raise TapeError(
                    f"{path} decides on {iso(frame.message.ts_ns)}, which was not due; the tape was changed"
                )
            _recorded(made, frame.message)
        elif frame.message is not None:
            _take(made, frame.message)
    if made is None:
        raise TapeError(f"{path} holds nothing; the runner ended before its first word")
    return made


def compare(recorded: Sequence[Decided], found: Sequence[Decided]) -> list[Difference]:
    """What differs between two lists of decisions, bar by bar."""
    theirs, ours = {d.ts_ns: d for d in recorded}, {d.ts_ns: d for d in found}
    differences = []
    for ts_ns in sorted(theirs.keys() | ours.keys()):
        then, now = theirs.get(ts_ns), ours.get(ts_ns)
        if then == now:
            continue
        if then is None or now is None:
            differences.append(Difference(ts_ns, "bar", _bar(then), _bar(now)))
            continue
        differences += _in_bar(ts_ns, then, now)
    return differences


def _in_bar(ts_ns: int, then: Decided, now: Decided) -> Iterator[Difference]:
    for name in ("failed", "nav_micros", "cash_micros", "cancels"):
        if getattr(then, name) != getattr(now, name):
            yield Difference(ts_ns, name, str(getattr(then, name)), str(getattr(now, name)))
    before, after = ({d.symbol: d for d in said.decisions} for said in (then, now))
    for symbol in sorted(before.keys() | after.keys()):
        if before.get(symbol) != after.get(symbol):
            texts = ("" if d is None else _text(d) for d in (before.get(symbol), after.get(symbol)))
            yield Difference(ts_ns, f"decision {symbol}", *texts)
    sent, sends = ({t.client_id: t for t in said.tickets} for said in (then, now))
    for client_id in sorted(sent.keys() | sends.keys()):
        if sent.get(client_id) != sends.get(client_id):
            texts = ("" if t is None else f"{t.lots} {t.symbol}" for t in (sent.get(client_id), sends.get(client_id)))
            yield Difference(ts_ns, f"order {client_id}", *texts)
    if before == after and [d.symbol for d in then.decisions] != [d.symbol for d in now.decisions]:
        yield Difference(ts_ns, "order of decisions", *(" ".join(before) for _ in range(2)))


def _text(message: msgspec.Struct) -> str:
    return ", ".join(f"{k} {v}" for k, v in msgspec.structs.asdict(message).items() if k != "symbol" and v is not None)


def _bar(decided: Decided | None) -> str:
    return "" if decided is None else f"{len(decided.decisions)} decisions"


def _begin(path: Path, began: Began, base: InForce | None) -> Replayed:
    folder = path.parent
    programme = programme_of(began, base)
    account = Account(
        began.symbols, trading_of(programme), cash_micros=began.state.cash_micros, strategy=began.strategy,
        venue=began.venue, name=began.account,
    )  # fmt: skip
    account.restore(began.state)
    facts = None if began.facts is None else table(folder, began.facts)
    runner = Runner(programme, account, table(folder, began.instruments), table(folder, began.records), facts)
    if began.forgotten is not None:
        if not enough(programme, runner.records):
            raise TapeError(
                f"{path} keeps the last bars alone, and {programme.strategy} with these settings reads further back; "
                "compare the two by backtests (`cws run`)"
            )
        runner.forgotten = table(folder, began.forgotten)[LABEL].to_numpy()
    return Replayed(path, began, runner, edited=edited(began, programme))


def _decide(made: Replayed, due: BarDue) -> None:
    made.working = made.runner.account.working()
    made.found.append(decided_at(made.runner, due.ts_ns, due.known_ns)[0])


def _recorded(made: Replayed, decided: Decided) -> None:
    """Take over the recorded decision: it is what the venue was asked for."""
    made.recorded.append(decided)
    account = made.runner.account
    if decided != made.found[-1]:
        working = {s: w for s, w in made.working.items() if w[0] not in decided.cancels}
        account.works(working | {t.symbol: (t.client_id, t.lots) for t in decided.tickets})
    made.unsent = {t.client_id: t for t in decided.tickets}


def _take(made: Replayed, message: Message) -> None:
    account = made.runner.account
    if isinstance(message, Outcome):
        account.allowed(message.client_id, message.lots)
        made.unsent.pop(message.client_id, None)
    elif isinstance(message, CashTold):
        account.cash_told(message.theirs_micros, message.ts_ns)
    elif isinstance(message, Ended):
        made.ended = message.why
    elif isinstance(message, VenueNews):
        made.news += 1
        made.runner.hear(message)


def main(path: str, base: str | None = None) -> None:
    """Write what this code decides on a tape's day. `base`: a file with `programmes.in_force` of another checkout."""
    settings = None if base is None else json.loads(Path(base).read_text(encoding="utf-8"))
    for decided in replay(Path(path), settings).found:
        sys.stdout.write(msgspec.json.encode(decided).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
