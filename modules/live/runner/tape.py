"""The tape: everything that crossed the runner's edge, in order, with nanosecond times; one file a day.

A frame is 24 bytes (length, CRC-32 of the payload, kind, time ns, CRC-32 of these), then the payload: a message as
MessagePack, rows as an Arrow file, or ticks of 32 bytes each. It is written with write(2) at once, so the death of the
process loses nothing. It is made durable at each bar's end, and a mark says so: what lies before a mark is as it was
written, or was changed. Behind the last one a loss of power may leave anything; from the first broken frame there it is
left out when read, and cut off when written on: it is decided again, to the same client ids.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import mmap
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from modules.live.messages import Message
from modules.live.runner.taped import Taped

MAGIC: Final = b"CWSTAPE1"
_HEAD: Final = struct.Struct("<IIIqI")
_SUMMED: Final = _HEAD.size - 4  # bytes of the head that its own checksum covers
TICK: Final = np.dtype(
    [("ts_ns", "<i8"), ("symbol", "<i4"), ("kind", "<i4"), ("price", "<f8"), ("size", "<f8")]
)  # 32 bytes


class Kind(IntEnum):
    """What a frame holds."""

    MESSAGE = 1
    RECORDS = 2  # rows that became known, as ingest writes them
    INSTRUMENTS = 3
    FACTS = 4
    TICKS = 5
    DURABLE = 6  # what is before this frame was on the disk when it was written


_MARK: Final = b"CWSMARK1"
"""All that a frame of `DURABLE` holds, and where that frame begins (8 bytes)."""
_KINDS: Final = frozenset(int(kind) for kind in Kind)


class TapeError(OSError):
    """A tape that cannot be read or written; names the file, the place and the remedy."""


@dataclass(frozen=True)
class Frame:
    """One frame: when it was written, and what it holds."""

    ts_ns: int
    kind: Kind
    message: Message | None = None
    rows: pl.DataFrame | None = None
    ticks: NDArray[np.void] | None = None


class TapeWriter:
    """Appends to one file; the only writer of it. A frame that was cut off at its end is cut away first."""

    def __init__(self, path: Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.path, self._clock_ns = path, clock_ns
        self._encode = msgspec.msgpack.Encoder().encode
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            end = _whole_end(path) if os.fstat(self._file).st_size > len(MAGIC) else 0
            end = end if end > len(MAGIC) else 0
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
            if end == 0:
                self._write(MAGIC)
                sync_folder(path.parent)
        except OSError as error:
            raise TapeError(f"tape {path} cannot be written: {error}; nothing is traded without one") from error
        self._last_ns = 0

    def message(self, message: Message) -> None:
        """Record a message."""
        self._frame(Kind.MESSAGE, self._encode(message))

    def rows(self, kind: Kind, rows: pl.DataFrame) -> None:
        """Record a table."""
        buffer = io.BytesIO()
        rows.write_ipc(buffer, compression="zstd")
        self._frame(kind, buffer.getvalue())

    def ticks(self, ticks: NDArray[np.void]) -> None:
        """Record market events, `TICK` each. Raises TapeError for another type."""
        if ticks.dtype != TICK:
            raise TapeError(f"ticks have type {ticks.dtype}; give {TICK}")
        self._frame(Kind.TICKS, ticks.tobytes())

    def sync(self) -> None:
        """Make what is written survive a loss of power, and mark it. Raises TapeError."""
        try:
            os.fdatasync(self._file)
            end = os.lseek(self._file, 0, os.SEEK_CUR)
        except OSError as error:
            raise TapeError(f"tape {self.path} cannot be made durable: {error}; nothing more is decided") from error
        self._frame(Kind.DURABLE, _MARK + end.to_bytes(8, "little"))

    def close(self) -> None:
        """Make it durable and let go."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                self.sync()
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> TapeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _frame(self, kind: Kind, payload: bytes) -> None:
        self._last_ns = max(self._last_ns, self._clock_ns())  # a clock that steps back does not turn the order round
        head = _HEAD.pack(len(payload), zlib.crc32(payload), kind, self._last_ns, 0)[:_SUMMED]
        self._write(head + zlib.crc32(head).to_bytes(4, "little") + payload)

    def _write(self, data: bytes) -> None:
        begin = 0
        try:
            while begin < len(data):
                begin += os.write(self._file, data[begin:])
        except OSError as error:
            raise TapeError(
                f"tape {self.path} cannot be written: {error}; nothing more is decided: make room and start again"
            ) from error


def read_tape(path: Path) -> Iterator[Frame]:
    """The frames of a tape, in order; one that is cut off at the end is left out.

    Raises TapeError where the file is none, or where bytes in the middle are not what was written.
    """
    decode = msgspec.msgpack.Decoder(Taped).decode
    for ts_ns, kind, payload in payloads(path):
        if kind is Kind.MESSAGE:
            yield Frame(ts_ns, kind, message=decode(payload))
        elif kind is Kind.TICKS:
            yield Frame(ts_ns, kind, ticks=np.frombuffer(payload, dtype=TICK))
        else:
            yield Frame(ts_ns, kind, rows=pl.read_ipc(io.BytesIO(payload)))


def read_messages(path: Path) -> Iterator[Message]:
    """The messages of a tape alone, in order. Raises TapeError."""
    decode = msgspec.msgpack.Decoder(Taped).decode
    for _, _, payload in payloads(path, {Kind.MESSAGE}):
        yield decode(payload)


def read_ticks(path: Path) -> Iterator[NDArray[np.void]]:
    """The market events of a tape, a block at a time, as views of the file. Raises TapeError."""
    for _, _, payload in payloads(path, {Kind.TICKS}):
        yield np.frombuffer(payload, dtype=TICK)


def payloads(path: Path, only: set[Kind] | None = None) -> Iterator[tuple[int, Kind, memoryview]]:
    """Time, kind and bytes of each whole frame (of some kinds), as views of the file. Raises TapeError."""
    for ts_ns, kind, payload, _ in _frames(path, only):
        if kind is not Kind.DURABLE:
            yield ts_ns, kind, payload


def is_begun(path: Path) -> bool:
    """Whether a tape holds what it begins with, a message and records: a loss of power may leave less. One that was
    changed there is one."""
    try:
        return path.exists() and len(list(itertools.islice(payloads(path), 2))) == 2
    except TapeError:
        return True


def durable_bytes(path: Path) -> int:
    """How far a tape certainly survives a loss of power: where its last mark begins. Raises TapeError."""
    return max((int.from_bytes(p[len(_MARK) :], "little") for _, _, p, _ in _frames(path, {Kind.DURABLE})), default=0)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _frames(path: Path, only: set[Kind] | None = None) -> Iterator[tuple[int, Kind, memoryview, int]]:
    """Time, kind, bytes and end of each whole frame up to the first that is broken; `only` these are checked."""
    size = _size(path)
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        view = memoryview(data)
        if data[: len(MAGIC)] != MAGIC and any(data[: len(MAGIC)]):
            raise TapeError(f"{path} is no tape: it does not begin with {MAGIC.decode()}")
        at = len(MAGIC)
        while at + _HEAD.size <= size:
            length, crc, kind, ts_ns, check = _HEAD.unpack_from(data, at)
            begin, end = at + _HEAD.size, at + _HEAD.size + length
            if zlib.crc32(view[at : at + _SUMMED]) != check or kind not in _KINDS or end > size:
                _refuse_changed(path, data, at, "this head of a frame was not written so")
                return
            payload = view[begin:end]
            if only is None or kind in only:
                if zlib.crc32(payload) != crc:
                    _refuse_changed(path, data, at, "the frame is not what was written")
                    return
                yield ts_ns, Kind(kind), payload, end
            at = end


def _refuse_changed(path: Path, data: mmap.mmap | bytes, at: int, what: str) -> None:
    """Raises TapeError where a mark behind a broken frame says that it was on the disk, or none was ever so: a head
    has zeros in it, whole or torn."""
    if 0 not in data[at : at + _HEAD.size]:
        raise TapeError(f"{path} at byte {at}: {what}; the tape was changed")
    found = data.find(_MARK, at)
    while found >= 0:
        head = found - _HEAD.size
        if head > at:
            length, crc, kind, _, check = _HEAD.unpack_from(data, head)
            whole = data[found : found + length]
            is_mark = kind == Kind.DURABLE and zlib.crc32(data[head : head + _SUMMED]) == check
            if is_mark and zlib.crc32(whole) == crc and int.from_bytes(whole[len(_MARK) :], "little") > at:
                raise TapeError(f"{path} at byte {at}: {what}; the tape was changed")
        found = data.find(_MARK, found + 1)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise TapeError(f"tape {path} cannot be read: {error.strerror}") from error


def _whole_end(path: Path) -> int:
    """Where the last whole frame ends."""
    end = len(MAGIC)
    for *_, end in _frames(path):  # noqa: B007  # the last one counts
        pass
    return end
