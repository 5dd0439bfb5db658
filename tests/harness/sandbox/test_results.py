"""What is brought back from a folder and from an archive: the same of both, and nothing that a stranger could misuse.

1. New and changed files, by their bytes; what is unchanged, temporary or a folder is not.
2. Links, pipes and names that cannot be printed are left out by name; a link is never followed.
3. No file beyond the limits is read; an archive that does not end is cut off.
4. An archive whose members climb, repeat, or lie about their size yields no such path and no exception.
"""

from __future__ import annotations

import io
import os
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.sandbox.exchange import pack, unpack
from harness.sandbox.inside.collect import Collected, collect
from harness.sandbox.port import MIB, Limits

LIMITS = Limits(scratch_bytes=2 * MIB, scratch_files=64, collected_files=8, collected_bytes=MIB)
Bring = Callable[[Path, Mapping[str, bytes]], Collected]


def from_folder(folder: Path, given: Mapping[str, bytes]) -> Collected:
    held = os.open(folder, os.O_RDONLY)
    try:
        return collect(held, given, LIMITS.collected_files, LIMITS.collected_bytes)
    finally:
        os.close(held)


def from_archive(folder: Path, given: Mapping[str, bytes]) -> Collected:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname="work")
    return unpack([body.getvalue()], given, LIMITS)


@pytest.fixture(params=[from_folder, from_archive], ids=["folder", "archive"])
def bring(request: pytest.FixtureRequest) -> Bring:
    found: Bring = request.param
    return found


def test_1_new_and_changed(bring: Bring, tmp_path: Path) -> None:
    for path, body in {"a": b"1", "b/c": b"2", "b/d": b"3", ".tmp/e": b"4", "x.tmp/f": b"5"}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(body)
    found = bring(tmp_path, {"a": b"1", "b/c": b"9", "gone": b"0"})
    assert found.files == {"b/c": b"2", "b/d": b"3", "x.tmp/f": b"5"}
    assert found.report() == ()


def test_2_what_is_no_plain_file(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    work = tmp_path / "work"
    (work / "in").mkdir(parents=True)
    (work / "link").symlink_to(tmp_path / "secret")
    (work / "folder").symlink_to(tmp_path)
    (work / "in" / "up").symlink_to("../../secret")
    os.mkfifo(work / "pipe")
    Path(os.fsdecode(os.fsencode(work) + b"/bad\xff")).write_text("x")
    (work / "line\nfeed").write_text("x")
    found = bring(work, {})
    assert found.files == {}
    assert {path for path, _ in found.report()} == {"link", "folder", "in/up", "pipe", "'bad\\udcff'", "'line\\nfeed'"}
    assert dict(found.report())["link"] == "a link"


def test_2_a_file_with_two_names_shows_no_other(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    os.link(tmp_path / "one", tmp_path / "two")
    assert set(bring(tmp_path, {}).files) <= {"one", "two"}


def test_3_limits(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (MIB + 1))
    for i in range(40):
        (tmp_path / f"n{i:02}").write_bytes(b"x")
    found = bring(tmp_path, {})
    assert len(found.files) == LIMITS.collected_files
    report = found.report()
    assert "big" in {path for path, _ in report}
    assert len(report) == 17 and report[-1][1] == "and 17 more"


def test_3_an_archive_of_holes_is_cut_off() -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        entry = tarfile.TarInfo("work/hole")
        entry.size = 1 << 40
        yield entry.tobuf(tarfile.PAX_FORMAT)
        while True:
            read += MIB
            yield bytes(MIB)

    found = unpack(endless(), {}, LIMITS)  # type: ignore[arg-type]
    assert found.files == {}
    assert read < 8 * MIB


def test_4_an_archive_that_lies() -> None:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name in (
            "work/../../etc/passwd",
            "work/ok",
            "work//etc/shadow",
            "/etc/hosts",
            "..",
            "work/a/../b",
            "work/ok",
        ):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
        device = tarfile.TarInfo("work/disk")
        device.type = tarfile.BLKTYPE
        archive.addfile(device)
        hard = tarfile.TarInfo("work/hard")
        hard.type, hard.linkname = tarfile.LNKTYPE, "work/ok"
        archive.addfile(hard)
    found = unpack([body.getvalue()], {}, LIMITS)
    assert set(found.files) == {"ok"}


def test_4_garbage() -> None:
    rng = random.Random(5)
    plain = pack({"a": b"1" * 2000, "b/c": b"2"}, 1000)
    for _ in range(300):
        body = bytearray(plain)
        for _ in range(rng.randint(1, 40)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        found = unpack([bytes(body[: rng.randrange(len(body))])], {}, LIMITS)
        assert not any(path.startswith("/") or ".." in path.split("/") for path in found.files)
