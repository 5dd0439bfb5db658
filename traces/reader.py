"""Read the log. The chain is checked on the way, so that nothing is ever answered from altered records."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from traces.checkpoint import CheckpointStore
from traces.disk import locked
from traces.events import Envelope
from traces.log import GENESIS, LOG_NAME, MAX_GROUP_BYTES, MAX_LINE_BYTES, LedgerError, hash_line, parse_place

_LOCK_TIMEOUT_SECONDS = 30.0


def read_lines(ledger_dir: Path, checkpoint_dir: Path | None = None) -> Iterator[bytes]:
    """The log's lines without newline, as they stood when reading began. No log: no lines.

    With `checkpoint_dir` only signed, that is acknowledged, records; without it also those of an append that a crash
    cut off before it was signed. Raises LedgerError naming the first record that breaks the chain.
    """
    return (line for line, _ in lines_after(START, ledger_dir, checkpoint_dir))


@dataclass(frozen=True)
class Mark:
    """A place between two lines of the log: `offset` bytes and `seq` lines lie before it, the last with hash `head`."""

    offset: int
    seq: int
    head: str


START = Mark(0, 0, GENESIS)


def lines_after(mark: Mark, ledger_dir: Path, checkpoint_dir: Path | None = None) -> Iterator[tuple[bytes, Mark]]:
    """As `read_lines`, what lies after `mark`; each line with the mark behind it."""
    path = ledger_dir / LOG_NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if mark == START:
            return
        raise LedgerError(f"{path}: is gone, {mark.seq} records of it were read before") from None
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from error
    with os.fdopen(fd, "rb") as file:
        try:
            with locked(fd, fcntl.LOCK_SH, _LOCK_TIMEOUT_SECONDS):
                size = os.fstat(fd).st_size
                signed = size if checkpoint_dir is None else CheckpointStore(checkpoint_dir).load().size_bytes
        except TimeoutError as error:
            raise LedgerError(f"{path}: {error}; try again") from error
        if size < signed or signed < mark.offset:
            least = max(signed, mark.offset)
            raise LedgerError(f"{path}: {size} bytes where {least} are signed for; run `cws ledger verify`")
        head, seq, left = mark.head, mark.seq, min(size, signed) - mark.offset
        offset = file.seek(mark.offset)
        while left > 0:
            raw = file.readline(min(left, MAX_LINE_BYTES + 1))
            left -= len(raw)
            place = parse_place(raw[:-1]) if raw.endswith(b"\n") else None
            if place is None and checkpoint_dir is None and _only_torn(file, left):
                return
            if place is None or place.seq != seq or place.prev != head:
                raise LedgerError(f"{path}: record {seq} does not continue the chain; run `cws ledger verify`")
            line = raw[:-1]
            offset, head, seq = offset + len(raw), hash_line(line), seq + 1
            yield line, Mark(offset, seq, head)


def _only_torn(file: BinaryIO, left: int) -> bool:
    """Whether no whole record follows a torn one, as after a crash: then it is the remains of one append."""
    return left <= MAX_GROUP_BYTES and all(parse_place(line) is None for line in file.read(left).split(b"\n"))


def read(ledger_dir: Path, checkpoint_dir: Path | None = None) -> Iterator[Envelope]:
    """Every event in order, as `read_lines` finds them. Raises LedgerError naming a record this code cannot read."""
    for seq, line in enumerate(read_lines(ledger_dir, checkpoint_dir)):
        yield _envelope(line, seq, ledger_dir)


class Follower:
    """Reads a growing ledger piece by piece: each look yields the acknowledged events that came after those already
    yielded, and costs no more than they do. One thread at a time. `mark` may be kept and given again later.

    `kinds`: only these are parsed and yielded; the others are chained and passed by.
    """

    def __init__(
        self, ledger_dir: Path, checkpoint_dir: Path, mark: Mark = START, kinds: Collection[str] | None = None
    ) -> None:
        self.mark = mark
        self.before = mark
        """The place before the event that was yielded last."""
        self._ledger_dir = ledger_dir
        self._checkpoint_dir = checkpoint_dir
        # A canonical line of a kind holds these bytes; one that holds them may still be of another.
        self._marks = None if kinds is None else tuple(f'"kind":"{kind}"'.encode() for kind in kinds)
        self._kinds = kinds

    def check(self) -> None:
        """Whether the log goes on at `mark`. Raises LedgerError where it is another one."""
        next(lines_after(self.mark, self._ledger_dir, self._checkpoint_dir), None)

    def new(self) -> Iterator[Envelope]:
        """What was appended since. Raises LedgerError, also where the log is another one than it was."""
        for line, after in lines_after(self.mark, self._ledger_dir, self._checkpoint_dir):
            if self._marks is not None and not any(mark in line for mark in self._marks):
                self.mark = after
                continue
            found = _envelope(line, after.seq - 1, self._ledger_dir)
            self.before, self.mark = self.mark, after
            if self._kinds is None or found.event.kind in self._kinds:
                yield found


def _envelope(line: bytes, seq: int, ledger_dir: Path) -> Envelope:
    try:
        return Envelope.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise LedgerError(
            f"{ledger_dir / LOG_NAME}: record {seq}: {place}: {first['msg']};"
            " it was written by another version of this code: read it with that version"
        ) from error
