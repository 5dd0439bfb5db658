"""Check a whole ledger against its signed checkpoint, and name the first record that is wrong."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict

from traces.checkpoint import Checkpoint, CheckpointError, CheckpointStore, fingerprint
from traces.disk import locked
from traces.log import GENESIS, LOG_NAME, MAX_GROUP_BYTES, MAX_LINE_BYTES, Place, examine_tail, hash_line, parse_place

_LOCK_TIMEOUT_SECONDS = 30.0


class Verification(BaseModel):
    """`events`: records found intact from the start. `first_bad`: the sequence number of the first bad or missing
    record, or `checkpoint`, `key` or `log` when that file is at fault. `unsigned_bytes`: what a crash left behind the
    last signed record (legal; never acknowledged). `key`: short name of the public key it was checked against."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    events: int
    first_bad: int | Literal["checkpoint", "key", "log"] | None
    reason: str
    unsigned_bytes: int = 0
    key: str | None = None


def verify(ledger_dir: Path, checkpoint_dir: Path, public_key: bytes | None = None) -> Verification:
    """Read everything, change nothing; a bad ledger is a result, not an exception.

    Without `public_key` the keys in `checkpoint_dir` are trusted, and both must be there. With it (32 bytes, kept
    where the ledger's owner cannot write) no key is read, and a ledger signed by another key is refused.
    """
    store = CheckpointStore(checkpoint_dir)
    path = ledger_dir / LOG_NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return _without_log(store, path, public_key)
    except OSError as error:
        return Verification(ok=False, events=0, first_bad="log", reason=f"{path}: cannot be read ({error.strerror})")
    with os.fdopen(fd, "rb") as file:
        try:
            with locked(fd, fcntl.LOCK_SH, _LOCK_TIMEOUT_SECONDS):
                if os.fstat(fd).st_size == 0 and public_key is None and store.unborn():
                    return _nothing_yet(path)
                public = public_key or store.public_key()
                signed = store.load(public)
                if public_key is None:
                    store.private_key()
                tail = os.pread(fd, MAX_GROUP_BYTES + 1, signed.size_bytes)
            # signed records never change, so that writers need not wait while they are checked
            return _check(file, tail, signed, fingerprint(public))
        except TimeoutError as error:
            return Verification(ok=False, events=0, first_bad="log", reason=f"{path}: {error}; try again")
        except CheckpointError as error:
            return _broken_anchor(error)


def _nothing_yet(path: Path) -> Verification:
    return Verification(ok=True, events=0, first_bad=None, reason=f"zero events: no ledger at {path.parent} yet")


def _broken_anchor(error: CheckpointError) -> Verification:
    at_fault: Literal["checkpoint", "key"] = "key" if error.at_fault == "key" else "checkpoint"
    return Verification(ok=False, events=0, first_bad=at_fault, reason=str(error))


def _without_log(store: CheckpointStore, path: Path, public_key: bytes | None) -> Verification:
    if not store.exists() and public_key is None:
        return _nothing_yet(path)
    try:
        count = store.load(public_key).count
    except CheckpointError as error:
        return _broken_anchor(error)
    if count == 0:
        return Verification(ok=True, events=0, first_bad=None, reason="zero events")
    return Verification(
        ok=False, events=0, first_bad=0, reason=f"{path} is missing: all {count} signed records are gone"
    )


def _lines(file: BinaryIO, count: int) -> Iterator[bytes]:
    """Up to `count` lines with their newline, none longer than the limit."""
    for _ in range(count):
        raw = file.readline(MAX_LINE_BYTES + 1)
        if not raw:
            return
        yield raw


class _Chain:
    """Walks the records, one behind the newest, so that a broken link can be laid on the right one of two."""

    def __init__(self, signed: Checkpoint) -> None:
        self._signed = signed
        self._place: Place | None = None
        self._hash = GENESIS
        self._suspect: str | None = None
        self.next_seq = 0

    def take(self, raw: bytes) -> tuple[int, str] | None:
        """The next line; the first bad record with the reason once one is certain."""
        seq = self.next_seq
        place = parse_place(raw[:-1]) if raw.endswith(b"\n") else None
        if self._suspect is not None:  # the link between seq - 2 and seq - 1 was broken: which of the two is it?
            intact = place is not None and place.prev == self._hash
            return (seq - 2 if intact else seq - 1), self._suspect
        if not raw.endswith(b"\n"):
            return seq, "is cut off or too long"
        if place is None:
            return seq, "is not a record: its bytes were altered"
        if place.seq != seq:
            return seq, f"is not where it belongs: record {place.seq} stands in its place (moved, removed or repeated)"
        if place.prev != self._hash:
            self._suspect = "was altered: it and its neighbour do not link"
            if seq == 0:
                return seq, "was altered: it does not begin a chain"
        elif self._place is not None and place.ts_ns < self._place.ts_ns:
            return seq, "is earlier than the record before it"
        self._place, self._hash, self.next_seq = place, hash_line(raw[:-1]), seq + 1
        return None

    def finish(self) -> tuple[int, str] | None:
        """After the last line: the count and the head must be those signed."""
        seq = self.next_seq
        if self._suspect is not None and (seq == self._signed.count):
            return (seq - 2 if self._hash == self._signed.head else seq - 1), self._suspect
        if self._suspect is not None:
            return seq - 2, self._suspect
        if seq < self._signed.count:
            return seq, f"is missing: the log ends after {seq} of {self._signed.count} signed records"
        if self._hash != self._signed.head:
            return (
                seq - 1,
                "is not the one that was signed: it was altered, or an earlier one was and all after it redone",
            )
        return None


def _check(file: BinaryIO, tail: bytes, signed: Checkpoint, key: str) -> Verification:
    chain = _Chain(signed)
    bad = None
    for raw in _lines(file, signed.count):
        bad = chain.take(raw)
        if bad:
            break
    bad = bad or chain.finish()
    if bad:
        seq, reason = bad
        return Verification(ok=False, events=seq, first_bad=seq, reason=f"record {seq} {reason}", key=key)
    return _check_tail(tail, signed, key)


def _check_tail(unsigned: bytes, signed: Checkpoint, key: str) -> Verification:
    tail = examine_tail(unsigned, signed.count, signed.head)
    words = {
        "none": f"{signed.count} records, chained and signed",
        "cut_off": f"{signed.count} records, chained and signed; after them {tail.size_bytes} bytes ({tail.lines} whole"
        " records) of an append that a crash cut off before it was acknowledged; the next append sets them aside",
        "foreign": f"record {signed.count + tail.lines} was never signed and does not continue the chain",
        "acknowledged": f"record {signed.count + tail.lines} and those before it back to {signed.count} follow the last"
        " signed record in more than one group: the checkpoint is older than the log",
    }
    ok = tail.state in ("none", "cut_off") and tail.size_bytes <= MAX_GROUP_BYTES
    return Verification(
        ok=ok,
        events=signed.count,
        first_bad=None if ok else signed.count + (tail.lines if tail.state == "foreign" else 0),
        reason=words[tail.state],
        unsigned_bytes=tail.size_bytes,
        key=key,
    )
