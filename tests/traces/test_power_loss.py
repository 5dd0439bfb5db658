"""Power loss, simulated: what was not synced may be lost, torn or zeroed; renames and new files may not have happened.

Killing a process proves nothing here, because the kernel keeps its writes. So every call to the disk is recorded, the
power goes at a random one of them, and the disk is rebuilt from what was synced plus an arbitrary part of the rest.

1. Every acknowledged event is read back, in its place, from the rebuilt disk.
2. Of a group under way when the power went, either all events are read back or none.
3. The rebuilt ledger verifies, opens, and takes the next append, also when the power went during a repair.
4. The same ledger without its fdatasync does lose events: the simulation bites.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.traces.samples import Folders, finding, folders
from traces.disk import Disk
from traces.events import Event
from traces.ledger import Ledger
from traces.log import LedgerError
from traces.reader import read
from traces.verify import verify


class PowerLossError(BaseException):
    """The machine is off: nothing after this runs, not even an `except Exception`."""


@dataclass
class LosingDisk(Disk):
    """Works on real files below `root` and remembers what of them a power cut would leave.

    `durable`: path to content, as of its last sync. `entries`: the names that a folder durably holds, each with the
    file (an id that survives renames) it leads to.
    """

    root: Path
    calls_left: int
    syncs: bool = True
    names: dict[Path, int] = field(default_factory=dict)  # now
    entries: dict[Path, int] = field(default_factory=dict)  # after a cut
    content: dict[int, bytes] = field(default_factory=dict)  # synced
    files: dict[int, tuple[Path, int]] = field(default_factory=dict)  # descriptor to path and id

    def __post_init__(self) -> None:
        """What is there to begin with is durable."""
        for file, path in enumerate(sorted(p for p in self.root.rglob("*") if p.is_file())):
            self.names[path] = self.entries[path] = file
            self.content[file] = path.read_bytes()

    def _call(self) -> None:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise PowerLossError

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        self._call()
        fd = super().open(path, flags, mode)
        file = self.names.setdefault(path, len(self.content))
        self.content.setdefault(file, b"")
        self.files[fd] = (path, file)
        return fd

    def write(self, fd: int, data: bytes) -> int:
        if self.calls_left == 0:  # the cut comes in the middle of a write
            super().write(fd, data[: len(data) // 2])
        self._call()
        return super().write(fd, data)

    def datasync(self, fd: int) -> None:
        self._call()
        if self.syncs:
            self.content[self.files[fd][1]] = self.files[fd][0].read_bytes()

    def truncate(self, fd: int, size: int) -> None:
        self._call()
        super().truncate(fd, size)

    def replace(self, source: Path, target: Path) -> None:
        self._call()
        super().replace(source, target)
        self.names[target] = self.names.pop(source)

    def remove(self, path: Path) -> None:
        self._call()
        super().remove(path)
        self.names.pop(path, None)

    def sync_folder(self, folder: Path) -> None:
        self._call()
        if self.syncs:
            for path in {p for p in (*self.names, *self.entries) if p.parent == folder}:
                if path in self.names:
                    self.entries[path] = self.names[path]
                else:
                    self.entries.pop(path, None)

    def rebuild(self, target: Path, chance: random.Random) -> None:
        """The disk after the cut, below `target`."""
        entries = dict(self.entries)
        for path in sorted({*self.names, *self.entries}):
            if chance.random() < 0.5:  # an unsynced entry may have reached the disk by itself
                if path in self.names:
                    entries[path] = self.names[path]
                else:
                    entries.pop(path, None)
        paths = {file: path for path, file in self.names.items()}
        for path, file in entries.items():
            now = paths[file].read_bytes() if file in paths else self.content[file]
            place = target / path.relative_to(self.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(left_over(self.content[file], now, chance))


def left_over(synced: bytes, now: bytes, chance: random.Random) -> bytes:
    """What a power cut may leave of a file: all of the unsynced change, none, a torn part, or zeros and holes."""
    if now == synced:
        return now
    if len(now) < len(synced):  # cut: one or the other
        return chance.choice([synced, now])
    same = next((i for i, (was, there) in enumerate(zip(synced, now, strict=False)) if was != there), len(synced))
    end = max(len(now.rstrip(b"\0")), len(synced.rstrip(b"\0")), same + 1)  # zeros that are there to be written over
    changed, rest = bytearray(now[same:end]), now[end:]
    before = synced[same:end].ljust(len(changed), b"\0")  # what was overwritten, or zeros beyond the end
    match chance.choice(["all", "none", "torn", "zeros", "hole"]):
        case "none":
            return synced
        case "torn":
            cut = chance.randrange(len(changed))
            if same == len(synced):  # it grew, and its length is torn as well
                return synced + bytes(changed[:cut])
            changed[cut:] = before[cut:]
        case "zeros":
            start = chance.randrange(len(changed))
            changed[start:] = before[start:]
        case "hole":
            start, end = sorted(chance.choices(range(len(changed) + 1), k=2))
            changed[start:end] = before[start:end]
    return synced[:same] + bytes(changed) + rest


@dataclass
class Life:
    """What one life of a ledger wrote: events acknowledged, and the group under way when the power went.

    `refused`: why the ledger could not be used in this life.
    """

    acknowledged: list[Event] = field(default_factory=list)
    under_way: list[Event] = field(default_factory=list)
    refused: str | None = None


def live(disk: LosingDisk, place: Folders, chance: random.Random, first: int) -> Life:
    """Append groups until the power goes, or 12 groups are written."""
    life = Life()
    try:
        ledger = Ledger(place.ledger, place.checkpoint, disk=disk)
        for n in range(12):
            life.under_way = [finding(first + 10 * n + k) for k in range(chance.randint(1, 4))]
            ledger.append(*life.under_way)
            life.acknowledged += life.under_way
            life.under_way = []
    except PowerLossError:
        pass
    except LedgerError as error:
        life.refused = str(error)
    return life


def crash(root: Path, seed: int, *, syncs: bool = True) -> tuple[Folders, list[Life]]:
    """A ledger that meets a power cut in each of its three lives, the later ones perhaps while it repairs itself."""
    chance = random.Random(seed)
    lives: list[Life] = []
    before = root / f"{seed}-0"
    before.mkdir()
    for n in range(1, 4):
        after = root / f"{seed}-{n}"
        after.mkdir()
        disk = LosingDisk(before, calls_left=chance.randrange(40 if n > 1 else 150), syncs=syncs)
        lives.append(live(disk, folders(before), chance, first=1000 * n))
        disk.rebuild(after, chance)
        before = after
    return folders(before), lives


def damage(place: Folders, lives: list[Life]) -> str | None:
    """What is wrong with the ledger after its lives; None when all is well."""
    try:
        found = verify(place.ledger, place.checkpoint)
        place.open().append(finding(-1))
        events = [e.event for e in read(place.ledger, place.checkpoint) if e.event.kind != "ledger.repaired"]
    except LedgerError as error:
        return str(error)
    for life in lives:
        if life.refused:
            return life.refused
        if events[: len(life.acknowledged)] != life.acknowledged:
            return "an acknowledged event is missing or out of place"
        del events[: len(life.acknowledged)]
        if life.under_way and events[: len(life.under_way)] == life.under_way:
            del events[: len(life.under_way)]
    if events != [finding(-1)]:
        return "part of a group, or an event that nobody wrote"
    final = verify(place.ledger, place.checkpoint)
    return None if found.ok and final.ok else f"{found.reason}; then {final.reason}"


@pytest.mark.parametrize("block", range(4))
def test_no_acknowledged_event_is_lost(tmp_path: Path, block: int) -> None:
    acknowledged = repaired = 0
    for seed in range(block * 40, block * 40 + 40):
        place, lives = crash(tmp_path, seed)
        assert damage(place, lives) is None, f"seed {seed}"
        acknowledged += sum(len(life.acknowledged) for life in lives)
        repaired += sum(e.event.kind == "ledger.repaired" for e in read(place.ledger, place.checkpoint))
    assert acknowledged > 500 and repaired > 5, "the cuts came where nothing was at stake"


def test_without_syncing_events_are_lost(tmp_path: Path) -> None:
    lost = sum(damage(*crash(tmp_path, seed, syncs=False)) is not None for seed in range(40))
    assert lost > 20
