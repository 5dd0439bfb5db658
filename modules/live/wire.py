"""Messages on a Unix socket: four bytes of length, big-endian, then one message as MessagePack."""

from __future__ import annotations

from typing import Final

import msgspec

from modules.live.messages import MAX_FRAME_BYTES, AnyMessage

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(AnyMessage)
_LENGTH: Final = 4


class WireError(ValueError):
    """Bytes that are no frame, or a message too long for one. The connection they came from is of no use any more."""


def encode(message: AnyMessage) -> bytes:
    """The frame of a message. Raises WireError for one above `MAX_FRAME_BYTES`."""
    body = _ENCODER.encode(message)
    size = len(body)
    if size > MAX_FRAME_BYTES:
        raise WireError(f"{type(message).__name__} of {size} bytes; a frame holds {MAX_FRAME_BYTES} at most")
    return size.to_bytes(_LENGTH, "big") + body


class FrameReader:
    """Puts frames together again, however the bytes were split. One for each connection."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[AnyMessage]:
        """The messages that are whole with these bytes, in order; the rest is kept.

        Raises WireError for a length above `MAX_FRAME_BYTES` or bytes that are no message; then the messages beside it
        are lost too, and nothing more can be read.
        """
        if self._kept:
            data = self._kept + data
        found: list[AnyMessage] = []
        begin, end = 0, len(data)
        view = memoryview(data)
        while end - begin >= _LENGTH:
            size = int.from_bytes(view[begin : begin + _LENGTH], "big")
            if size > MAX_FRAME_BYTES:
                raise WireError(f"a frame of {size} bytes; {MAX_FRAME_BYTES} at most: this is not our protocol")
            after = begin + _LENGTH + size
            if after > end:
                break
            try:
                found.append(_DECODER.decode(view[begin + _LENGTH : after]))
            except msgspec.DecodeError as error:
                raise WireError(f"a frame of {size} bytes holds no message: {error}") from error
            begin = after
        self._kept = bytes(view[begin:]) if begin < end else b""
        return found

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._kept)
