"""The journal in a file, where files differ from other stores: torn ends, full disks, syncs that fail.

1. Bytes that follow the last whole group are set aside at opening, and nothing before them is touched.
2. A write that fails leaves nothing of its group, however much of it the disk took; the next one may succeed.
3. After a sync that failed what was not durable is written anew before anything else is taken.
4. A file that is shorter than what is signed for, or another one, is refused.
"""

from __future__ import annotations

import os
import random
import resource
import signal
from pathlib import Path

import pytest

from modules.live.journal.file import FileJournal, JournalReader, read_journal
from modules.live.journal.lines import Place, encode
from modules.live.journal.port import JournalError
from tests.modules.live.journal.disks import ForgetfulDisk, FullDisk
from tests.modules.live.journal.samples import some


def messages(folder: Path) -> list[object]:
    return [e.message for e in read_journal(folder)]


def filled(folder: Path, count: int = 10) -> Path:
    """A closed journal of `count` entries; its file."""
    with FileJournal(folder) as journal:
        for n in range(count):
            journal.append(some(n))
    return folder / "orders.jsonl"


TORN = [
    ("half a line", b'{"seq":10,"ts_ns":'),
    ("a line of garbage", b"\xff\xfe{}\n"),
    ("a line that does not follow", encode(Place(11, 0, 10**19), 10**19, (some(1),))[0]),
    ("lines after a hole", bytes(100) + b"\n" + encode(Place(), 1, (some(1),))[0]),
]


@pytest.mark.parametrize(("name", "torn"), TORN, ids=[t[0] for t in TORN])
def test_what_a_crash_left_is_set_aside(tmp_path: Path, name: str, torn: bytes) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with FileJournal(tmp_path) as journal:
        assert journal.set_aside is not None and journal.set_aside.read_bytes() == torn
        assert path.read_bytes() == whole
        assert journal.append(some(10)) == 10
    assert messages(tmp_path) == [some(n) for n in range(11)]


def test_room_that_was_reserved_is_no_entry(tmp_path: Path) -> None:
    path = filled(tmp_path)
    size = path.stat().st_size
    journal = FileJournal(tmp_path)
    journal.append(some(10))
    assert path.stat().st_size > size + 1_000_000, "reserved"
    left = path.read_bytes()
    journal.close()
    assert path.stat().st_size < size + 1_000, "given back"
    path.write_bytes(left)  # as after a kill
    with FileJournal(tmp_path) as again:
        assert again.set_aside is None and again.append(some(11)) == 11
    assert messages(tmp_path) == [some(n) for n in range(12)]


def test_a_hole_among_the_entries_is_no_end(tmp_path: Path) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:300] + bytes(40) + whole[340:])
    with FileJournal(tmp_path) as journal, pytest.raises(JournalError, match="chain is broken"):
        list(journal.read())


def test_half_a_group_is_no_group(tmp_path: Path) -> None:
    with FileJournal(tmp_path, sign_seconds=1e9) as journal:
        journal.append(some(0))
        before = journal.path.read_bytes().rstrip(b"\0")
        journal.append(some(1), some(2), some(3))
        journal.sync()
        lines = journal.path.read_bytes().rstrip(b"\0")[len(before) :].splitlines(keepends=True)
    for kept in (1, 2):
        folder = tmp_path / str(kept)
        filled(folder, 0)
        (folder / "orders.jsonl").write_bytes(before + b"".join(lines[:kept]))
        with FileJournal(folder) as journal:
            assert [e.message for e in journal.read()] == [some(0)], "as a whole or not at all"
            assert journal.set_aside is not None


@pytest.mark.parametrize("cut", [1, 400, 10**6])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, cut: int) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[: -min(cut, path.stat().st_size)])
    with pytest.raises(JournalError, match="signed for"):
        FileJournal(tmp_path)


def test_a_full_disk_and_then_room(tmp_path: Path) -> None:
    disk, taken, refused = FullDisk(), [], 0
    chance = random.Random(3)
    with FileJournal(tmp_path, disk=disk) as journal:
        for n in range(60):
            disk.room = chance.choice([0, 1, 100, 500, 10**9])
            group = [some(10 * n + k) for k in range(chance.randint(1, 3))]
            try:
                journal.append(*group)
                taken += group
            except JournalError as error:
                assert "No space left" in str(error) or "in part" in str(error)
                refused += 1
            assert [e.message for e in journal.read()] == taken
        disk.room = 10**9
        journal.append(some(999))
    assert messages(tmp_path) == [*taken, some(999)] and refused > 5 and len(taken) > 20


def test_no_room_to_reserve(tmp_path: Path) -> None:
    """With less than is reserved at once each entry takes what it needs; with none nothing is recorded."""
    disk = FullDisk(room=2_000, reserves=True)
    with FileJournal(tmp_path, disk=disk) as journal:
        taken = 0
        with pytest.raises(JournalError, match="No space left"):
            for n in range(50):
                journal.append(some(n))
                taken += 1
        assert 2 < taken < 20 and [e.message for e in journal.read()] == [some(n) for n in range(taken)]
        disk.room = 10**9
        journal.append(some(taken))
    assert messages(tmp_path) == [some(n) for n in range(taken + 1)]


def test_a_disk_that_is_full_for_the_kernel(tmp_path: Path) -> None:
    """A limit of the system in a process of its own, so that writes are cut short by nobody but the kernel."""
    filled(tmp_path, 3)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            size = (tmp_path / "orders.jsonl").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_000, resource.RLIM_INFINITY))
            journal, n = FileJournal(tmp_path, commit_ms=None, sign_seconds=1e9), 3
            try:
                while n < 50:
                    journal.append(some(n))
                    n += 1
            except JournalError:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                journal.append(some(n))
                status = 0 if journal.sync() == n and n < 20 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    found = messages(tmp_path)
    assert found == [some(n) for n in range(len(found))] and len(found) > 4


def test_a_sync_that_fails_loses_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    disk = ForgetfulDisk(tmp_path / "orders.jsonl")
    journal = FileJournal(tmp_path, disk=disk, commit_ms=None, sign_seconds=1e9)
    journal.append(some(2))
    journal.append(some(3), some(4))
    disk.fails = 2
    with pytest.raises(JournalError, match="not made durable"):
        journal.sync()
    assert journal.durable == 1 and journal.fault is not None
    with pytest.raises(JournalError, match="still not working"):
        journal.append(some(99))
    assert journal.append(some(5)) == 5, "the disk works again: what it lost is written anew, then this"
    assert journal.durable == 4 and journal.fault is None
    assert [e.message for e in journal.read()] == [some(n) for n in range(6)]
    journal.close()
    assert messages(tmp_path) == [some(n) for n in range(6)]


def test_a_write_that_cannot_be_taken_back(tmp_path: Path) -> None:
    disk = FullDisk()
    journal = FileJournal(tmp_path / "journal", disk=disk, commit_ms=None, sign_seconds=1e9)
    journal.append(some(0))
    disk.room, disk.stuck = 50, True
    for _ in range(2):
        with pytest.raises(JournalError, match=r"No space|in part|still not working"):
            journal.append(some(1))
    disk.room, disk.stuck = 10**9, False
    assert journal.append(some(2)) == 1
    journal.close()
    assert messages(tmp_path / "journal") == [some(0), some(2)]


def test_a_reader_goes_on_where_it_ended(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    assert not list(reader.new()), "nothing there yet"
    with FileJournal(tmp_path) as journal:
        journal.append(some(0), some(1))
        assert [e.seq for e in reader.new()] == [0, 1] and not list(reader.new())
        journal.append(some(2))
        with journal.path.open("ab") as behind:  # a line that is being written
            behind.write(b'{"seq":3,')
            behind.flush()
            assert [e.seq for e in reader.new()] == [2]


def test_waiting_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.live.journal.groups.MOST_WAITING_BYTES", 2_000)
    with FileJournal(tmp_path, commit_ms=None) as journal:
        with pytest.raises(JournalError, match="wait to become durable"):
            for n in range(50):
                journal.append(some(n))
        journal.sync()
        journal.append(some(50))
