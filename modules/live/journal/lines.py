"""The file journal's format: one JSON line an entry, chained by SHA-256, its group's last number in every line."""

from __future__ import annotations

import hashlib
import math
from typing import Final, get_args, get_type_hints

import msgspec

from modules.live.journal.port import Entry, JournalError
from modules.live.messages import AnyMessage, Message

GENESIS: Final = "0" * 64
"""`prev` of the first entry."""

MAX_LINE_BYTES: Final = 64 << 20
_ENCODE: Final = msgspec.json.Encoder(order="deterministic").encode


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`last`: the `seq` of the last entry of the group that was appended at once."""

    seq: int
    ts_ns: int
    last: int
    prev: str
    message: AnyMessage


_DECODE: Final = msgspec.json.Decoder(_Line).decode
_FLOATS: Final[dict[type[Message], tuple[str, ...]]] = {
    kind: tuple(n for n, hint in get_type_hints(kind).items() if hint is float or float in get_args(hint))
    for kind in get_args(AnyMessage)
}


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a journal ends: entries, bytes, time and hash of the last one, and whether a group is whole there."""

    seq: int = -1
    size_bytes: int = 0
    ts_ns: int = 0
    head: str = GENESIS
    open_until: int = -1
    """The `seq` that ends the group which the last entry is part of."""

    @property
    def is_whole(self) -> bool:
        """Whether the last group is there to its end."""
        return self.open_until <= self.seq


def encode(place: Place, ts_ns: int, messages: tuple[AnyMessage, ...]) -> tuple[bytes, Place]:
    """A group's bytes after `place`, and where the journal ends then. Raises JournalError for what JSON cannot hold."""
    seq, head, last, lines = place.seq, place.head, place.seq + len(messages), bytearray()
    for message in messages:
        for name in _FLOATS[type(message)]:
            value = getattr(message, name)
            if value is not None and not math.isfinite(value):
                raise JournalError(f"{message!r}: {name} is {value}; what is recorded is finite, or None")
        seq += 1
        line = b'{"seq":%d,"ts_ns":%d,"last":%d,"prev":"%b","message":%b}' % (
            seq, ts_ns, last, head.encode(), _ENCODE(message),
        )  # fmt: skip
        if len(line) > MAX_LINE_BYTES:
            raise JournalError(f"a {type(message).__name__} of {len(line)} bytes; at most {MAX_LINE_BYTES}: split it")
        head = hashlib.sha256(line).hexdigest()
        lines += line
        lines += b"\n"
    return bytes(lines), Place(seq, place.size_bytes + len(lines), ts_ns, head, last)


def decode(place: Place, line: bytes) -> tuple[Entry, Place]:
    """The entry that a line (with its newline) holds and where the journal ends after it.

    Raises JournalError for a line that does not follow `place`.
    """
    if not line.endswith(b"\n"):
        raise JournalError(f"entry {place.seq + 1} is cut off")
    try:
        found = _DECODE(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalError(f"entry {place.seq + 1} is no entry: {error}") from error
    in_group = found.last == place.open_until if not place.is_whole else found.last >= found.seq
    if found.seq != place.seq + 1 or found.prev != place.head or found.ts_ns < place.ts_ns or not in_group:
        raise JournalError(f"entry {place.seq + 1} does not follow the one before it: the chain is broken")
    after = Place(
        found.seq, place.size_bytes + len(line), found.ts_ns, hashlib.sha256(line[:-1]).hexdigest(), found.last
    )
    return Entry(found.seq, found.ts_ns, found.prev, found.message), after
