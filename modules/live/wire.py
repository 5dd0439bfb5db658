"""Messages on a Unix socket: four bytes of length, big-endian, then one message as MessagePack."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import msgspec

from modules.live.messages import MAX_FRAME_BYTES, Message

_ENCODER: Final = msgspec.msgpack.Encoder()
_LENGTH: Final = 4


class WireError(ValueError):
    """Bytes that are no frame, or a message too long for one. The connection they came from is of no use any more."""


def encode(message: Message) -> bytes:
    """The frame of a message. Raises WireError for one above `MAX_FRAME_BYTES`."""
    body = _ENCODER.encode(message)
    size = len(body)
    if size > MAX_FRAME_BYTES:
        raise WireError(f"{type(message).__name__} of {size} bytes; a frame holds {MAX_FRAME_BYTES} at most")
    return size.to_bytes(_LENGTH, "big") + body


T = TypeVar("T")


class FrameReader(Generic[T]):
    """Puts frames together again, however the bytes were split. One for each connection.

    `types`: the union of messages that may come; `most_bytes`: the longest frame.
    """

    __slots__ = ("_decode", "_kept", "_most")

    def __init__(self, types: Any, most_bytes: int = MAX_FRAME_BYTES) -> None:
        self._decode = msgspec.msgpack.Decoder(types).decode
        self._most = most_bytes
        self._kept = b""

    def feed(self, data: bytes) -> list[T]:
        """The messages that are whole with these bytes, in order; the rest is kept.

        Raises WireError for a length above the longest or bytes that are no such message; then the messages beside it
        are lost too, and nothing more can be read.
        """
        if self._kept:
            data = self._kept + data
        found: list[T] = []
        begin, end = 0, len(data)
        view = memoryview(data)
        while end - begin >= _LENGTH:
            size = int.from_bytes(view[begin : begin + _LENGTH], "big")
            if size > self._most:
                raise WireError(f"a frame of {size} bytes; {self._most} at most: this is not our protocol")
            after = begin + _LENGTH + size
            if after > end:
                break
            try:
                found.append(self._decode(view[begin + _LENGTH : after]))
            except msgspec.MsgspecError as error:
                raise WireError(f"a frame of {size} bytes holds no message: {error}") from error
            begin = after
        self._kept = bytes(view[begin:]) if begin < end else b""
        return found

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._kept)
