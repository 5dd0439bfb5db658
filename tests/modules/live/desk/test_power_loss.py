"""The power goes in the middle of a day: of the journal is left what was synced and any part of the rest.

The venue goes on meanwhile.

1. Every acknowledged entry is read back, in its place.
2. Decisions that are made again after it are not sent again where the first one reached the venue (the venue asserts).
3. After the venue was asked, the book is the venue's: never flat where the venue is not.
4. Without its fdatasync the same journal does lose acknowledged entries: the simulation bites.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from modules.live.journal.file import FileJournal
from modules.live.journal.port import JournalError
from modules.live.journal.reading import read_journal
from tests.modules.live.desk.day import Day
from tests.modules.live.desk.faulty import Truth
from tests.traces.test_power_loss import LosingDisk, PowerLossError


def lives(root: Path, seed: int, *, syncs: bool = True) -> tuple[Day, int, int]:
    """A day with three losses of power; the day as it is after them, acknowledged entries that are gone, and all."""
    chance, truth = random.Random(seed), Truth()
    folder, day, gone, acknowledged = root / f"{seed}-0", None, 0, 0
    folder.mkdir()
    for n in range(1, 4):
        disk = LosingDisk(folder, calls_left=chance.randrange(20, 200), syncs=syncs)
        try:
            if day is None:
                day = Day(folder / "journal", truth, chance, disk=disk)
            else:
                day.folder, day.disk = folder / "journal", disk
                day.open()
                for made in day.tickets:  # whoever decides decides the same again
                    day.desk.submit(made)
            while True:
                day.step()
                if chance.random() < 0.3:
                    day.journal.sync()
        except PowerLossError:
            pass
        except JournalError:  # it cannot be opened any more
            return day, gone + 1, acknowledged  # type: ignore[return-value]
        if chance.random() < 0.5:
            truth.outbox.clear()  # said to nobody
        if chance.random() < 0.3:
            truth.seen.clear()  # the risk core lost its memory as well
        after = root / f"{seed}-{n}"
        after.mkdir()
        disk.rebuild(after, chance)
        if day is not None:
            known = day.journal.acknowledged
            found = [e.message for e in read_journal(after / "journal")] if _opens(after / "journal") else []
            acknowledged += len(known)
            gone += found[: len(known)] != known
        folder = after
    assert day is not None
    day.folder, day.disk = folder / "journal", None
    return day, gone, acknowledged


def _opens(folder: Path) -> bool:
    """Whether the journal that is left is one. Opening it sets aside what is torn, as the next life does."""
    try:
        FileJournal(folder, commit_ms=None).close()
    except JournalError:
        return False
    return True


def judge(root: Path, seed: int) -> int:
    day, gone, acknowledged = lives(root, seed)
    assert not gone, f"seed {seed}: an acknowledged entry is not there"
    day.faults = 0.0
    day.open()
    day.settle()
    for made in day.tickets:
        day.desk.submit(made)
    day.settle()
    day.check()
    day.journal.close()
    return acknowledged


def test_no_acknowledged_entry_is_lost(tmp_path: Path) -> None:
    assert sum(judge(tmp_path, seed) for seed in range(8)) > 300, "the cuts came where nothing was at stake"


@pytest.mark.slow
@pytest.mark.parametrize("block", range(7))
def test_no_acknowledged_entry_is_lost_often(tmp_path: Path, block: int) -> None:
    for seed in range(1_000 + 10 * block, 1_010 + 10 * block):
        judge(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("block", range(34))
def test_a_thousand_losses_of_power(tmp_path: Path, block: int) -> None:
    for seed in range(10_000 + 10 * block, 10_010 + 10 * block):
        judge(tmp_path, seed)


@pytest.mark.slow
def test_without_syncing_entries_are_lost(tmp_path: Path) -> None:
    assert sum(lives(tmp_path, seed, syncs=False)[1] for seed in range(20)) > 10
