"""The ledger in use: order, groups, recovery, refusals. Power loss is in test_power_loss.py, attacks in test_verify.py.

1. Sequence numbers are 0, 1, 2, ... and times never go back, whatever the clock and however many writers.
2. What was acknowledged stays; what was not is set aside byte for byte and said so.
3. An append that fails leaves log and checkpoint as they were.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.traces.samples import ONE_OF_EACH, Folders, finding, folders
from traces.disk import Disk
from traces.events import LedgerRepaired, RunFinished
from traces.ledger import Ledger
from traces.log import MAX_LINE_BYTES, LedgerError
from traces.reader import read
from traces.verify import verify


@pytest.fixture
def place(tmp_path: Path) -> Folders:
    return folders(tmp_path)


def test_events_come_back_in_order_and_chained(place: Folders) -> None:
    with place.open() as ledger:
        assert ledger.append(*ONE_OF_EACH[:3]) == [0, 1, 2]
        assert ledger.append() == []
        assert ledger.append(*ONE_OF_EACH[3:]) == list(range(3, len(ONE_OF_EACH)))
    envelopes = list(read(place.ledger, place.checkpoint))
    assert tuple(e.event for e in envelopes) == ONE_OF_EACH
    lines = place.log.read_bytes().splitlines()
    assert envelopes[0].prev == "0" * 64
    assert [e.prev for e in envelopes[1:]] == [hashlib.sha256(line).hexdigest() for line in lines[:-1]]
    assert len({e.ts_ns for e in envelopes[:3]}) == 1 and envelopes[3].ts_ns > envelopes[2].ts_ns
    assert verify(place.ledger, place.checkpoint).events == len(ONE_OF_EACH)


def test_nothing_yet(place: Folders) -> None:
    assert list(read(place.ledger)) == []
    assert verify(place.ledger, place.checkpoint).ok
    assert not place.ledger.exists() and not place.checkpoint.exists()
    place.open()
    assert list(read(place.ledger, place.checkpoint)) == []
    result = verify(place.ledger, place.checkpoint)
    assert (result.ok, result.events, result.first_bad) == (True, 0, None)


def test_the_private_key_is_its_owners_alone(place: Folders) -> None:
    place.open()
    assert stat.S_IMODE((place.checkpoint / "ledger.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.checkpoint.stat().st_mode) == 0o700
    before = (place.checkpoint / "ledger.key").read_bytes()
    place.open().append(finding(0))
    assert (place.checkpoint / "ledger.key").read_bytes() == before


def test_time_goes_forward_when_the_clock_goes_back(place: Folders) -> None:
    ticks = iter([1_000, 500, 500, 2_000])
    ledger = Ledger(place.ledger, place.checkpoint, lambda: next(ticks))
    for n in range(4):
        ledger.append(finding(n))
    assert [e.ts_ns for e in read(place.ledger)] == [1_000, 1_001, 1_002, 2_000]


def test_two_ledgers_take_turns(place: Folders) -> None:
    one, other = place.open(), place.open()
    assert [one.append(finding(0)), other.append(finding(1)), one.append(finding(2))] == [[0], [1], [2]]
    assert verify(place.ledger, place.checkpoint).events == 3


def test_threads_share_one_ledger(place: Folders) -> None:
    ledger, seqs = place.open(), []

    def work(k: int) -> None:
        for n in range(20):
            seqs.extend(ledger.append(finding(100 * k + n), finding(0)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(120))
    assert verify(place.ledger, place.checkpoint).events == 120


WRITER = """
import sys
from pathlib import Path
from traces.events import ReviewRejected
from traces.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), Path(sys.argv[2]))
for n in range(int(sys.argv[4])):
    print(*ledger.append(ReviewRejected(branch=f"{sys.argv[3]}-{n}", by="h", reason="r")), flush=True)
"""


def test_two_processes_append_two_hundred_each(place: Folders) -> None:
    arguments = [str(place.ledger), str(place.checkpoint)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, *arguments, name, "200"], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    outputs = [writer.communicate(timeout=600)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    acknowledged = {
        int(seq): (name, n) for name, out in zip("ab", outputs, strict=True) for n, seq in enumerate(out.split())
    }
    assert sorted(acknowledged) == list(range(400))
    result = verify(place.ledger, place.checkpoint)
    assert (result.ok, result.events) == (True, 400), result.reason
    for envelope in read(place.ledger, place.checkpoint):
        name, n = acknowledged[envelope.seq]
        assert envelope.event.model_dump()["branch"] == f"{name}-{n}"


def test_a_ledger_begun_anew_under_an_open_one_is_signed_with_its_own_key(place: Folders) -> None:
    held = place.open()
    held.append(finding(0), finding(1))
    shutil.rmtree(place.ledger)
    shutil.rmtree(place.checkpoint)
    assert place.open().append(finding(2)) == [0]
    assert held.append(finding(3)) == [1]
    assert verify(place.ledger, place.checkpoint).events == 2


def test_killed_while_appending_loses_nothing_acknowledged(place: Folders) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place.ledger), str(place.checkpoint), "k", "100000"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(50)]
    writer.kill()
    acknowledged += [int(line) for line in writer.stdout.read().split("\n") if line]
    writer.wait()
    place.open().append(finding(0))
    result = verify(place.ledger, place.checkpoint)
    assert result.ok, result.reason
    branches = [e.event.model_dump().get("branch") for e in read(place.ledger, place.checkpoint)]
    assert branches[: len(acknowledged)] == [f"k-{n}" for n in range(len(acknowledged))]


# --- what a crash leaves --------------------------------------------------------------------------------

TORN = [
    ("half a line", lambda group: group[:40], 0),
    ("a whole line and a half", lambda group: group[: group.index(b"\n") + 30], 1),
    ("a whole group", lambda group: group, 2),
    ("zeros", lambda group: bytes(len(group)), 0),
    ("a hole in the first line", lambda group: bytes(30) + group[30:], 0),
    ("one byte", lambda group: group[:1], 0),
]


@pytest.mark.parametrize(("tear", "lines"), [row[1:] for row in TORN], ids=[row[0] for row in TORN])
def test_a_torn_tail_is_set_aside_and_reported(place: Folders, tear: Callable[[bytes], bytes], lines: int) -> None:
    place.open().append(finding(0), finding(1))
    kept = place.log.read_bytes()
    signed = (place.checkpoint / "checkpoint.json").read_bytes()
    place.open().append(finding(2), finding(3))
    torn = tear(place.log.read_bytes()[len(kept) :])
    place.log.write_bytes(kept + torn)
    (place.checkpoint / "checkpoint.json").write_bytes(signed)

    before = verify(place.ledger, place.checkpoint)
    assert (before.ok, before.events, before.unsigned_bytes) == (True, 2, len(torn))
    assert "crash cut off" in before.reason
    assert [e.seq for e in read(place.ledger, place.checkpoint)] == [0, 1]
    if torn.startswith(b"\0") and any(torn):  # without the checkpoint this cannot be told from an altered record
        with pytest.raises(LedgerError, match="record 2 does not continue the chain"):
            list(read(place.ledger))
    else:
        assert len(list(read(place.ledger))) == 2 + lines

    ledger = place.open()
    (aside,) = ledger.set_aside
    assert (aside.path.read_bytes(), aside.size_bytes, aside.after_seq) == (torn, len(torn), 1)
    assert place.log.read_bytes().startswith(kept)
    *_, last = read(place.ledger, place.checkpoint)
    assert last.event == LedgerRepaired(
        file=aside.path.name, torn_bytes=len(torn), sha256=hashlib.sha256(torn).hexdigest(), complete_lines=lines
    )
    assert ledger.append(finding(4)) == [3]
    assert verify(place.ledger, place.checkpoint).events == 4
    assert place.open().set_aside == []


def test_a_tail_left_by_another_process_is_set_aside_by_the_next_append(place: Folders) -> None:
    ledger = place.open()
    ledger.append(finding(0))
    with place.log.open("ab") as log:
        log.write(b'{"event":')
    assert ledger.append(finding(1)) == [2]
    assert len(ledger.set_aside) == 1
    assert verify(place.ledger, place.checkpoint).events == 3


def test_an_older_checkpoint_does_not_cost_acknowledged_records(place: Folders) -> None:
    ledger = place.open()
    ledger.append(finding(0))
    old = (place.checkpoint / "checkpoint.json").read_bytes()
    ledger.append(finding(1))
    ledger.append(finding(2))
    log = place.log.read_bytes()
    (place.checkpoint / "checkpoint.json").write_bytes(old)
    with pytest.raises(LedgerError, match="checkpoint is older than the log"):
        place.open()
    assert place.log.read_bytes() == log
    result = verify(place.ledger, place.checkpoint)
    assert (result.ok, result.first_bad) == (False, 1)


# --- what cannot be opened -------------------------------------------------------------------------------


def cut(place: Folders) -> None:
    place.log.write_bytes(place.log.read_bytes()[:-1])


def cut_at_record(place: Folders) -> None:
    place.log.write_bytes(b"".join(place.log.read_bytes().splitlines(keepends=True)[:-1]))


def flip_last(place: Folders) -> None:
    raw = bytearray(place.log.read_bytes())
    raw[-10] ^= 1
    place.log.write_bytes(raw)


def flip_checkpoint(place: Folders) -> None:
    path = place.checkpoint / "checkpoint.json"
    path.write_bytes(path.read_bytes().replace(b'"count":3', b'"count":2'))


BROKEN = [
    ("log cut by a byte", cut, "truncated"),
    ("log cut at a record", cut_at_record, "truncated"),
    ("log gone", lambda place: place.log.unlink(), "truncated"),
    ("last record altered", flip_last, "record 2 is not the one that was signed"),
    ("checkpoint altered", flip_checkpoint, "signature does not hold"),
    ("checkpoint gone", lambda place: (place.checkpoint / "checkpoint.json").unlink(), "checkpoint.json is missing"),
    ("private key gone", lambda place: (place.checkpoint / "ledger.key").unlink(), "ledger.key is missing"),
    ("public key gone", lambda place: (place.checkpoint / "ledger.pub").unlink(), "ledger.pub is missing"),
]


@pytest.mark.parametrize(("attack", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_ledger_is_not_appended_to(place: Folders, attack: Callable[[Folders], object], message: str) -> None:
    held = place.open()
    held.append(finding(0), finding(1), finding(2))
    attack(place)
    left = place.log.read_bytes() if place.log.exists() else b""
    with pytest.raises(LedgerError, match=message):
        place.open()
    if attack is not flip_last:  # the writer of the last record does not read it again before the next
        with pytest.raises(LedgerError, match=message):
            held.append(finding(3))
    assert not place.log.exists() or place.log.read_bytes().startswith(left)


# --- what cannot be written ------------------------------------------------------------------------------


class FailingDisk(Disk):
    """Fails one operation, from the moment `fail` names it; a write is cut short first, as a full disk does."""

    fail: str = ""
    code: int = errno.ENOSPC

    def _maybe(self, operation: str) -> None:
        if self.fail == operation:
            raise OSError(self.code, os.strerror(self.code))

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._maybe("open")
        return super().open(path, flags, mode)

    def write(self, fd: int, data: bytes) -> int:
        if self.fail == "write" and len(data) > 20:
            return super().write(fd, data[:20])
        self._maybe("write")
        return super().write(fd, data)

    def datasync(self, fd: int) -> None:
        self._maybe("datasync")
        super().datasync(fd)

    def replace(self, source: Path, target: Path) -> None:
        self._maybe("replace")
        super().replace(source, target)


FAILURES = [("open", errno.EROFS), ("write", errno.ENOSPC), ("datasync", errno.EIO), ("replace", errno.ENOSPC)]


@pytest.mark.parametrize(("operation", "code"), FAILURES)
def test_a_failing_disk_is_a_clear_error_and_nothing_is_half_written(place: Folders, operation: str, code: int) -> None:
    disk = FailingDisk()
    ledger = Ledger(place.ledger, place.checkpoint, disk=disk)
    ledger.append(finding(0))
    files = {path: path.read_bytes() for path in (place.log, place.checkpoint / "checkpoint.json")}
    disk.fail, disk.code = operation, code
    with pytest.raises(LedgerError, match=os.strerror(code)) as caught:
        ledger.append(finding(1), finding(2))
    assert "events.jsonl" in str(caught.value) and "try again" in str(caught.value)
    assert {path: path.read_bytes() for path in files} == files
    disk.fail = ""
    assert ledger.append(finding(3)) == [1]
    assert verify(place.ledger, place.checkpoint).events == 2
    assert ledger.set_aside == []


LIMITED = """
import resource, sys
from pathlib import Path
from traces.events import ReviewRejected
from traces.ledger import Ledger
from traces.log import LedgerError
ledger = Ledger(Path(sys.argv[1]), Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    for n in range(1000):
        ledger.append(*[ReviewRejected(branch=f"{n}", by="h", reason="r")] * 3)
        print(n, flush=True)
except LedgerError as error:
    print("refused", error, flush=True)
"""


def test_the_operating_systems_own_limit(place: Folders) -> None:
    """A real short write: the process may not make files longer than 5,000 bytes."""
    command = [sys.executable, "-c", LIMITED, str(place.ledger), str(place.checkpoint)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert out[-1].startswith("refused") and "File too large" in out[-1]
    result = verify(place.ledger, place.checkpoint)
    assert (result.ok, result.events, result.unsigned_bytes) == (True, 3 * (len(out) - 1), 0)


def test_a_folder_that_cannot_be(place: Folders) -> None:
    place.ledger.write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="cannot be opened for append"):
        place.open()


def test_limits(place: Folders) -> None:
    ledger = place.open()
    long = finding(0).model_copy(update={"reason": "x" * MAX_LINE_BYTES})
    with pytest.raises(LedgerError, match="at most 1048576"):
        ledger.append(finding(1), long)
    assert place.log.read_bytes() == b""


def test_a_mapping_spoilt_after_the_event_was_made(place: Folders) -> None:
    metrics: dict[str, float] = {"m": 1.0}
    event = RunFinished(run_id="r", digest="d", metrics=metrics, seconds=1.0)
    event.metrics["m"] = float("nan")  # type: ignore[index]
    with pytest.raises(LedgerError, match=r"run\.finished.*JSON"):
        place.open().append(event)
    assert place.log.read_bytes() == b""


def test_closed_and_locked(place: Folders) -> None:
    with place.open() as ledger:
        ledger.append(finding(0))
    with pytest.raises(LedgerError, match="closed"):
        ledger.append(finding(1))
    import fcntl

    with place.log.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="locked by another process"):
            Ledger(place.ledger, place.checkpoint, lock_timeout_seconds=0.02)
