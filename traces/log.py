"""The log's format: one canonical JSON line an event, chained by SHA-256, and what may follow the last signed line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from traces.events import Envelope, canonical_json

LOG_NAME = "events.jsonl"
GENESIS = "0" * 64
"""`prev` of the first line, and the head of an empty log."""

MAX_LINE_BYTES = 1 << 20
MAX_GROUP_BYTES = 64 << 20


class LedgerError(Exception):
    """The ledger cannot be read, opened or appended to. The message names the file or record, and the remedy."""


def hash_line(line: bytes) -> str:
    """SHA-256 of a line's bytes without its newline."""
    return hashlib.sha256(line).hexdigest()


def encode_line(envelope: Envelope) -> bytes:
    """The line's bytes, without newline."""
    return canonical_json(envelope).encode()


@dataclass(frozen=True)
class Place:
    """What chains a line: its own number and time, and the hash it states of the line before."""

    seq: int
    ts_ns: int
    prev: str


def parse_place(line: bytes) -> Place | None:
    """The place that a line claims, or None when it is no line of a ledger. The event itself is not looked into."""
    if not (line.startswith(b'{"event":') and line.endswith(b"}")):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.keys() != {"seq", "ts_ns", "prev", "event"}:
        return None
    seq, ts_ns, prev = value["seq"], value["ts_ns"], value["prev"]
    if type(seq) is not int or type(ts_ns) is not int or not isinstance(prev, str):
        return None
    return Place(seq, ts_ns, prev)


@dataclass(frozen=True)
class Tail:
    """The bytes after the last signed line. `lines`: complete lines that continue the chain.

    state: `none`; `cut_off` = what one crashed append leaves (at most one whole group, no two);
    `foreign` = a whole line that does not continue the chain; `acknowledged` = more than one group, which no
    crash can leave: the checkpoint is older than the log.
    """

    state: Literal["none", "cut_off", "foreign", "acknowledged"]
    size_bytes: int
    lines: int


def examine_tail(tail: bytes, count: int, head: str) -> Tail:
    """What follows `count` signed lines whose last hash is `head`."""
    if not tail:
        return Tail("none", 0, 0)
    group_ts_ns: int | None = None
    expected_seq, expected_prev = count, head
    *whole, _ = tail.split(b"\n")
    for line in whole:
        place = parse_place(line)
        if place is None:  # torn or zeroed: all that follows is the remains of the same write
            break
        if place.seq != expected_seq or place.prev != expected_prev:
            return Tail("foreign", len(tail), expected_seq - count)
        if group_ts_ns is not None and place.ts_ns != group_ts_ns:
            return Tail("acknowledged", len(tail), expected_seq - count)
        group_ts_ns = place.ts_ns
        expected_seq, expected_prev = expected_seq + 1, hash_line(line)
    return Tail("cut_off", len(tail), expected_seq - count)
