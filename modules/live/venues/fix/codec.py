"""FIX messages and bytes: `encode` and `Stream`. A garbled message is dropped, as the protocol asks, not guessed at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import simplefix

from modules.live.venues.exact import FigureError

BEGIN: Final = b"FIX.4.4"
SOH: Final = b"\x01"
MAX_BODY_BYTES: Final = 1_000_000
"""A longer message is garbage."""

Field = tuple[int, str]
_START: Final = b"8=FIX."
_TRAILER_BYTES: Final = 7  # 10=nnn and its SOH


@dataclass(frozen=True)
class Heard:
    """A message that came whole: its type, its number, and every field in order."""

    kind: str
    number: int
    pairs: tuple[tuple[int, str], ...]
    first: dict[int, str] = field(compare=False)

    def get(self, tag: int) -> str | None:
        """The first field of a tag, or None."""
        return self.first.get(tag)

    def need(self, tag: int) -> str:
        """The first field of a tag. Raises FigureError where it is missing."""
        value = self.first.get(tag)
        if value is None:
            raise FigureError(f"FIX message {self.kind} number {self.number} has no tag {tag}")
        return value

    @property
    def is_repeat(self) -> bool:
        """PossDupFlag: it may have been sent before."""
        return self.first.get(43) == "Y"


def encode(kind: str, number: int, sender: str, target: str, at_ns: int, fields: Iterable[Field]) -> bytes:
    """A message as bytes; length and checksum are added. A value with a field's end in it is refused."""
    message = simplefix.FixMessage()
    for tag, value in ((8, BEGIN), (35, kind), (49, sender), (56, target), (34, number), (52, stamp(at_ns))):
        message.append_pair(tag, value, header=True)
    for tag, text in fields:
        if "\x01" in text or not text:
            raise ValueError(f"FIX tag {tag} is {text!r}: a value is not empty and has no byte 1")
        message.append_pair(tag, text)
    return bytes(message.encode())


class Stream:
    """Bytes in, messages out. What is between messages, or fails length or checksum, is counted and dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self.garbled = 0

    def feed(self, data: bytes) -> list[Heard]:
        """Messages that are whole now."""
        self._rest += data
        found: list[Heard] = []
        while (message := self._next()) is not None:
            if message:
                found.append(message[0])
        return found

    def _next(self) -> tuple[Heard, ...] | None:
        """One message, () for a garbled one, None for: wait for more bytes."""
        start = self._rest.find(_START)
        if start < 0:
            self._skip(max(0, len(self._rest) - len(_START) + 1))
            return None
        self._skip(start)
        head = self._rest[: len(BEGIN) + 24].split(SOH, 2)
        if len(head) < 3:
            return self._garbled() if len(self._rest) >= len(BEGIN) + 24 else None
        size = head[1][2:]
        if (
            head[0] != b"8=" + BEGIN
            or not head[1].startswith(b"9=")
            or not size.isdigit()
            or int(size) > MAX_BODY_BYTES
        ):
            return self._garbled()
        body = len(head[0]) + len(head[1]) + 2
        end = body + int(size) + _TRAILER_BYTES
        if len(self._rest) < end:
            return None
        whole = self._rest[:end]
        total = sum(whole[:-_TRAILER_BYTES]) % 256
        if whole[-_TRAILER_BYTES:] != b"10=%03d\x01" % total or whole[-_TRAILER_BYTES - 1 : -_TRAILER_BYTES] != SOH:
            return self._garbled()
        heard = _parse(whole)
        if heard is None:
            return self._garbled()
        self._rest = self._rest[end:]
        return (heard,)

    def _skip(self, count: int) -> None:
        if count:
            self._rest = self._rest[count:]
            self.garbled += 1

    def _garbled(self) -> tuple[Heard, ...]:
        """Go on behind this start, at whatever looks like the next."""
        self._rest = self._rest[len(_START) :]
        self.garbled += 1
        return ()


def _parse(whole: bytes) -> Heard | None:
    parser = simplefix.FixParser()
    parser.append_buffer(whole)
    try:
        message = parser.get_message()
        if message is None or parser.get_buffer():
            return None
        pairs = tuple((int(tag), value.decode("utf-8")) for tag, value in message.pairs)
    except (simplefix.errors.ParsingError, UnicodeDecodeError):
        return None
    first: dict[int, str] = {}
    for tag, value in pairs:
        first.setdefault(tag, value)
    kind, number = first.get(35), first.get(34, "")
    if kind is None or not (number.isascii() and number.isdigit()):
        return None
    return Heard(kind, int(number), pairs, first)


def stamp(at_ns: int) -> str:
    """UTCTimestamp, to the millisecond."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d-%H:%M:%S") + f".{rest // 1_000_000:03d}"


def moment(text: str) -> int:
    """A UTCTimestamp in ns. Raises FigureError."""
    day, _, fraction = text.partition(".")
    try:
        seconds = int(datetime.strptime(day, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp())
        return seconds * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError:
        raise FigureError(f"{text!r} is no UTC time of the form YYYYMMDD-HH:MM:SS[.sss]") from None
