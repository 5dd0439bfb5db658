"""Frames: what was sent is what is read, however the bytes were split; garbage is refused, never guessed at.

1. Any split of the bytes gives the same messages.
2. A length above the longest, bytes that are no message, a message of another vocabulary: WireError.
3. Nothing that is read is larger than what was allowed.
"""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.messages import (
    AnyMessage,
    Ask,
    Asked,
    Cancel,
    Filled,
    Hello,
    Message,
    Report,
    Ruled,
    StatusAsked,
)
from modules.live.wire import FrameReader, WireError, encode

MESSAGES: tuple[AnyMessage, ...] = (
    Hello("desk", "paper", "b1", "demo"),
    Ask("c1", "alpha", "AAA", -(2**52), "sim", "paper", "b1", 2**62, "limit", "ioc", 1.0 / 3.0, "p", 7),
    Cancel("ü" * 50),
    StatusAsked(),
    Ruled("c1", 1, 30, 5, None, 0.05, 1),
    Filled("c1", "x", "AAA", 3, 1.5, 4_500_000, 0, 1),
    Report("sim", (), {"AAA": 1}, 5, True, 1),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(MESSAGES), max_size=5), st.lists(st.integers(0, 400), max_size=6))
def test_1_any_split(sent: list[AnyMessage], cuts: list[int]) -> None:
    data = b"".join(map(encode, sent))
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    reader: FrameReader[AnyMessage] = FrameReader(AnyMessage)
    found = [m for a, b in itertools.pairwise(edges) for m in reader.feed(data[a:b])]
    assert found == sent
    assert reader.pending_bytes == 0


GARBAGE = [
    ("text", b"GET / HTTP/1.1\r\n\r\n"),
    ("all ones", b"\xff" * 64),
    ("no message", b"\0\0\0\1\xc1"),
    ("empty", b"\0\0\0\0"),
    ("a number", b"\0\0\0\1\7"),
    ("an unknown kind", b"\0\0\0\x0b\x81\xa4kind\xa4junk"),
    ("cut inside", b"\0\0\0\x05\x81\xa4kin"),
    ("another vocabulary", encode(MESSAGES[4])),
]


@pytest.mark.parametrize(("name", "data"), GARBAGE, ids=[n for n, _ in GARBAGE])
def test_2_garbage(name: str, data: bytes) -> None:
    reader: FrameReader[Asked] = FrameReader(Asked)
    with pytest.raises(WireError):
        reader.feed(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_2_any_bytes_are_read_or_refused(data: bytes) -> None:
    reader: FrameReader[Asked] = FrameReader(Asked)
    with contextlib.suppress(WireError):
        assert all(isinstance(m, Message) for m in reader.feed(data))


def test_3_too_long() -> None:
    frame = encode(Cancel("x" * 100))
    short: FrameReader[Asked] = FrameReader(Asked, most_bytes=50)
    with pytest.raises(WireError, match="50 at most"):
        short.feed(frame[:4])  # the length is enough to know
    assert FrameReader(Asked, most_bytes=len(frame) - 4).feed(frame)
    with pytest.raises(WireError, match="at most"):
        encode(Cancel("x" * (64 << 20)))
