"""Bytes and FIX messages.

1. A message comes out as it went in, wherever the bytes are cut.
2. A message with any byte changed is dropped or is another valid message of the same length, never an error; the next
   message comes through.
3. Garbage never raises and never grows without bound.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.venues.exact import FigureError
from modules.live.venues.fix.codec import BEGIN, MAX_BODY_BYTES, Heard, Stream, encode, moment, stamp
from tests.modules.live.venues.peers.fix import frame, unframe

AT_NS = 1_704_209_400_123_000_000
ORDER = encode("D", 7, "DESK", "VENUE", AT_NS, [(11, "a.1"), (55, "AAPL"), (54, "1"), (38, "10"), (58, "8=FIX.4.4")])
BEAT = encode("0", 8, "DESK", "VENUE", AT_NS, [])


def test_a_message_is_what_an_independent_writer_makes_of_it() -> None:
    assert unframe(ORDER)[2:] == [
        (35, "D"), (49, "DESK"), (56, "VENUE"), (34, "7"), (52, "20240102-15:30:00.123"), (11, "a.1"), (55, "AAPL"),
        (54, "1"), (38, "10"), (58, "8=FIX.4.4"), (10, ORDER[-4:-1].decode()),
    ]  # fmt: skip
    [heard] = Stream().feed(frame("8", 3, [(11, "x"), (31, "1.5")], "VENUE", "DESK"))
    assert (heard.kind, heard.number, heard.need(11), heard.need(31)) == ("8", 3, "x", "1.5")


@settings(max_examples=20)
@given(st.lists(st.integers(0, len(ORDER + BEAT)), max_size=6))
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    data, stream, found = ORDER + BEAT, Stream(), []
    edges = sorted({0, *cuts, len(data)})
    for start, end in itertools.pairwise(edges):
        found += stream.feed(data[start:end])
    assert [(m.kind, m.number) for m in found] == [("D", 7), ("0", 8)]
    assert stream.garbled == 0


@settings(max_examples=20)
@given(st.integers(0, len(ORDER) - 1), st.integers(1, 255))
def test_a_changed_byte_loses_that_message_only(at: int, change: int) -> None:
    data = bytearray(ORDER)
    data[at] = (data[at] + change) % 256
    stream = Stream()
    found = stream.feed(bytes(data) + BEAT * 40)  # enough bytes to fill whatever length the change announces
    assert all(isinstance(m, Heard) for m in found)
    assert not any(m.kind == "D" for m in found)
    announced = bytes(data).split(b"\x01")[1]
    if announced.startswith(b"9=") and announced[2:] == b"%d" % _body(ORDER):
        assert [m.number for m in found] == [8] * 40


def _body(message: bytes) -> int:
    return int(message.split(b"\x01")[1][2:])


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_garbage_is_dropped(parts: list[bytes]) -> None:
    stream = Stream()
    for part in parts:
        stream.feed(part)
    found = stream.feed(b"\x01" + BEAT * 60)
    assert found == [] or found[-1].number == 8


@pytest.mark.parametrize("head", [b"8=FIX.4.2\x019=5\x01", b"8=FIX.4.4\x019=x\x01", b"8=FIX.4.4\x0135=0\x01"])
def test_another_beginning_is_no_message(head: bytes) -> None:
    stream = Stream()
    assert [m.number for m in stream.feed(head + b"35=0\x0110=000\x01" + BEAT)] == [8]
    assert stream.garbled > 0


def test_a_length_beyond_the_limit_is_not_waited_for() -> None:
    head = b"8=" + BEGIN + b"\x019=%d\x01" % (MAX_BODY_BYTES + 1)
    assert [m.number for m in Stream().feed(head + BEAT)] == [8]


@pytest.mark.parametrize("value", ["a\x01b=c", ""])
def test_a_value_cannot_add_a_field(value: str) -> None:
    with pytest.raises(ValueError, match="FIX tag 11"):
        encode("D", 1, "A", "B", AT_NS, [(11, value)])


def test_times() -> None:
    assert stamp(AT_NS) == "20240102-15:30:00.123"
    assert moment("20240102-15:30:00.123") == AT_NS
    assert moment("20240102-15:30:00.123456789") == AT_NS + 456_789
    assert moment("20240102-15:30:00") == AT_NS - 123_000_000
    with pytest.raises(FigureError):
        moment("2024-01-02")
