"""The FIX session without a socket: numbers, heartbeats, gaps. Bytes to send and messages to deliver come out.

An order is never sent again: where the venue asks for one that it missed, the gap is filled and the order given back
as `withheld`. What we missed is asked for, from the first missing number on, and nothing is delivered out of order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modules.live.units import SECOND_NS
from modules.live.venues.exact import FigureError
from modules.live.venues.fix.codec import Field, Heard, encode, stamp

REMEMBERED: Final = 100_000
"""Sent messages that are remembered for a resend."""


class Sequences:
    """The numbers of the next message either way, in a file if one is given, so that a session survives a restart."""

    def __init__(self, file: Path | None = None) -> None:
        self.out, self.into = 1, 1
        self._fd: int | None = None
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        text = os.pread(self._fd, 64, 0).split()
        if text:
            if len(text) != 2 or not all(n.isdigit() and int(n) > 0 for n in text):
                raise ValueError(
                    f"{file}: two numbers above 0 are wanted; ask the venue for its own, or remove the file"
                )
            self.out, self.into = int(text[0]), int(text[1])

    @property
    def is_kept(self) -> bool:
        """Whether a session goes on where the last one ended."""
        return self._fd is not None

    def save(self) -> None:
        """Before anything with these numbers leaves."""
        if self._fd is not None:
            os.pwrite(self._fd, b"%020d %020d\n" % (self.out, self.into), 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


@dataclass(frozen=True)
class Names:
    """CompIDs, and what a logon asks for."""

    sender: str
    target: str
    heartbeat_s: int = 30
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass
class Step:
    """What follows from a message or from time: bytes to send, messages to deliver, the end if `down` says why."""

    send: list[bytes] = field(default_factory=list)
    deliver: list[Heard] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    filled_from: int | None = None
    """Our first number that the venue missed for good; what was sent since then, and is no order, may be said again."""
    is_up: bool = False
    down: str | None = None


class Session:
    """One connection's life; make a new one for each connection, with the same `Sequences`."""

    def __init__(self, names: Names, numbers: Sequences, sent: dict[int, str], *, reset: bool) -> None:
        """`sent`: client id of each order by its number, shared by the connections of a run."""
        self._names, self._numbers, self._sent, self._reset = names, numbers, sent, reset
        self.is_up = False
        self._heard_ns = self._sent_ns = 0
        self._tested_ns: int | None = None
        self._gap_to: int | None = None
        self._gap_ns = 0
        self._filled: tuple[int, int] | None = None
        self._leaving = False

    # --- out ----------------------------------------------------------------------------------------

    def logon(self, now_ns: int) -> bytes:
        """The first message. With `reset` both sides begin at 1."""
        if self._reset:
            self._numbers.out = self._numbers.into = 1
            self._sent.clear()
        self._heard_ns = now_ns
        fields: list[Field] = [(98, "0"), (108, str(self._names.heartbeat_s))]
        if self._reset:
            fields.append((141, "Y"))
        if self._names.username is not None:
            fields.append((553, self._names.username))
        if self._names.password is not None:
            fields.append((554, self._names.password))
        return self._out("A", fields, now_ns)

    def logout(self, now_ns: int, text: str) -> bytes:
        """The last message."""
        self._leaving = True
        return self._out("5", [(58, text)], now_ns)

    def application(self, kind: str, fields: Iterable[Field], now_ns: int, order: str | None = None) -> bytes:
        """A message of the application. `order`: the client id of a new order."""
        if order is not None:
            self._sent[self._numbers.out] = order
            if len(self._sent) > REMEMBERED:
                del self._sent[next(iter(self._sent))]
        return self._out(kind, fields, now_ns)

    def order_numbered(self, number: int) -> str | None:
        """The client id of the order that was sent under a number."""
        return self._sent.get(number)

    def _out(self, kind: str, fields: Iterable[Field], now_ns: int) -> bytes:
        data = encode(kind, self._numbers.out, self._names.sender, self._names.target, now_ns, fields)
        self._numbers.out += 1
        self._numbers.save()
        self._sent_ns = now_ns
        return data

    # --- in -----------------------------------------------------------------------------------------

    def hear(self, message: Heard, now_ns: int) -> Step:
        """Take in one message."""
        self._heard_ns, self._tested_ns = now_ns, None
        step = Step()
        if message.get(49) != self._names.target or message.get(56) != self._names.sender:
            return self._end(step, now_ns, f"message {message.number} is from {message.get(49)} to {message.get(56)}")
        if not self.is_up and message.kind not in ("A", "5"):
            return self._end(step, now_ns, f"message {message.kind} came before the logon")
        try:
            if message.kind == "A":
                self._logged_on(message, now_ns, step)
            elif message.kind == "4" and message.get(123) != "Y":
                self._numbers.into = max(self._numbers.into, int(message.need(36)))
            else:
                self._numbered(message, now_ns, step)
        except (FigureError, ValueError) as error:
            return self._end(step, now_ns, f"message {message.number} cannot be read: {error}")
        self._numbers.save()
        return step

    def _logged_on(self, message: Heard, now_ns: int, step: Step) -> None:
        if message.get(141) == "Y":
            if not self._reset:
                self._end(step, now_ns, "the venue reset the numbers unasked: what was missed is unknown")
                return
            self._numbers.into = 1
        if message.number < self._numbers.into and not message.is_repeat:
            self._end(step, now_ns, _too_low(message.number, self._numbers.into))
            return
        self.is_up = step.is_up = True
        self._numbered(message, now_ns, step)

    def _numbered(self, message: Heard, now_ns: int, step: Step) -> None:
        expected = self._numbers.into
        if message.number < expected:
            if not message.is_repeat:
                self._end(step, now_ns, _too_low(message.number, expected))
            return
        if message.number > expected:
            self._ahead(message, now_ns, step)
            return
        self._numbers.into = expected + 1
        self._take(message, now_ns, step)
        if self._gap_to is not None and self._numbers.into > self._gap_to:
            self._gap_to = None

    def _ahead(self, message: Heard, now_ns: int, step: Step) -> None:
        """A gap. A resend that the venue asks for is given at once, or both would wait for each other."""
        if message.kind == "5":
            self._take(message, now_ns, step)
            return
        if message.kind == "2":
            self._resend(message, now_ns, step)
        if self._gap_to is None:
            step.send.append(self._out("2", [(7, str(self._numbers.into)), (16, "0")], now_ns))
            self._gap_to, self._gap_ns = message.number, now_ns

    def _take(self, message: Heard, now_ns: int, step: Step) -> None:
        match message.kind:
            case "0" | "A":
                pass
            case "1":
                step.send.append(self._out("0", [(112, message.need(112))], now_ns))
            case "2":
                self._resend(message, now_ns, step)
            case "4":
                to = int(message.need(36))
                if to <= message.number:
                    raise FigureError(f"a gap fill from {message.number} to {to} goes back")
                self._numbers.into = to
            case "5":
                if not self._leaving:
                    step.send.append(self.logout(now_ns, "goodbye"))
                self.is_up = False
                step.down = f"the venue logged out: {message.get(58) or 'no reason given'}"
            case _:
                step.deliver.append(message)

    def _resend(self, message: Heard, now_ns: int, step: Step) -> None:
        """Fill the gap whole; an order in it never reached the venue, and a late order is another order.

        A venue asks at every message that it hears behind a gap, so several times before our fill is there: each is
        answered by the same fill. What was sent after the first fill arrives in order and is not missed.
        """
        begin, end = int(message.need(7)), int(message.need(16))
        last = self._numbers.out - 1
        end = last if end == 0 else min(end, last)
        if not 1 <= begin <= end:
            return
        is_known = self._filled is not None and self._filled[0] == begin and self._filled[1] <= end
        if is_known:
            assert self._filled is not None
            end = self._filled[1]
        names = self._names
        fields = [(43, "Y"), (122, stamp(now_ns)), (123, "Y"), (36, str(end + 1))]
        step.send.append(encode("4", begin, names.sender, names.target, now_ns, fields))
        self._sent_ns = now_ns
        if is_known:
            return
        self._filled, step.filled_from = (begin, end), begin
        step.withheld += [self._sent[n] for n in range(begin, end + 1) if n in self._sent]

    def tick(self, now_ns: int) -> Step:
        """What time asks for; call it a few times a second."""
        step = Step()
        beat = self._names.heartbeat_s * SECOND_NS
        silence = now_ns - self._heard_ns
        if not self.is_up:
            if silence > beat:
                step.down = f"no logon within {self._names.heartbeat_s} s"
            return step
        if self._tested_ns is None:
            if silence > beat + beat // 5:
                self._tested_ns = now_ns
                step.send.append(self._out("1", [(112, f"T{now_ns}")], now_ns))
        elif now_ns - self._tested_ns > beat:
            return self._end(step, now_ns, f"no answer to a test request within {self._names.heartbeat_s} s")
        if self._gap_to is not None and now_ns - self._gap_ns > 2 * beat:
            return self._end(step, now_ns, f"the gap from number {self._numbers.into} on was not filled")
        if now_ns - self._sent_ns >= beat:
            step.send.append(self._out("0", [], now_ns))
        return step

    def _end(self, step: Step, now_ns: int, why: str) -> Step:
        if self.is_up:
            step.send.append(self.logout(now_ns, why))
        self.is_up = False
        step.down = why
        return step


def _too_low(number: int, expected: int) -> str:
    return (
        f"MsgSeqNum {number} is below {expected} and no repeat: the two sides count differently; "
        "agree on a reset of the numbers with the venue"
    )
