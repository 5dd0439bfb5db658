"""Read the log. The chain is checked on the way, so that nothing is ever answered from altered records."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
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
    path = ledger_dir / LOG_NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from error
    with os.fdopen(fd, "rb") as file:
        try:
            with locked(fd, fcntl.LOCK_SH, _LOCK_TIMEOUT_SECONDS):
                size = os.fstat(fd).st_size
                signed = size if checkpoint_dir is None else CheckpointStore(checkpoint_dir).load().size_bytes
        except TimeoutError as error:
            raise LedgerError(f"{path}: {error}; try again") from error
        if size < signed:
            raise LedgerError(f"{path}: {size} bytes where {signed} are signed for; run `cws ledger verify`")
        head, seq, left = GENESIS, 0, min(size, signed)
        while left > 0:
            raw = file.readline(min(left, MAX_LINE_BYTES + 1))
            left -= len(raw)
            place = parse_place(raw[:-1]) if raw.endswith(b"\n") else None
            if place is None and checkpoint_dir is None and _only_torn(file, left):
                return
            if place is None or place.seq != seq or place.prev != head:
                raise LedgerError(f"{path}: record {seq} does not continue the chain; run `cws ledger verify`")
            line = raw[:-1]
            yield line
            head, seq = hash_line(line), seq + 1


def _only_torn(file: BinaryIO, left: int) -> bool:
    """Whether no whole record follows a torn one, as after a crash: then it is the remains of one append."""
    return left <= MAX_GROUP_BYTES and all(parse_place(line) is None for line in file.read(left).split(b"\n"))


def read(ledger_dir: Path, checkpoint_dir: Path | None = None) -> Iterator[Envelope]:
    """Every event in order, as `read_lines` finds them. Raises LedgerError naming a record this code cannot read."""
    for seq, line in enumerate(read_lines(ledger_dir, checkpoint_dir)):
        try:
            yield Envelope.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise LedgerError(
                f"{ledger_dir / LOG_NAME}: record {seq}: {place}: {first['msg']};"
                " it was written by another version of this code: read it with that version"
            ) from error
