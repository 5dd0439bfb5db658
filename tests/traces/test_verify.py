"""Attacks on a ledger, each found with its record named.

1. Any single flipped bit of the log is found, and the record that holds it is the one named.
2. Any swap, removal, repetition or truncation of records is found.
3. Any flipped bit of the checkpoint or of a key file is found.
4. A chain recomputed without the key is found.
5. Verification changes nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import traces.verify as verify_module
from tests.traces.samples import ONE_OF_EACH, Folders, finding, folders
from traces.ledger import Ledger
from traces.log import GENESIS, hash_line
from traces.verify import Verification, verify

COUNT = 6


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    place = folders(tmp_path_factory.mktemp("attacked"))
    with place.open() as ledger:
        ledger.append(*(finding(n) for n in range(4)))
        ledger.append(*(finding(n) for n in range(4, COUNT)))
    return place


@pytest.fixture(scope="module")
def lines(place: Folders) -> list[bytes]:
    return place.log.read_bytes().splitlines(keepends=True)


def first_bad(place: Folders, log: bytes) -> object:
    """Verify with this log in place of the true one."""
    true = place.log.read_bytes()
    place.log.write_bytes(log)
    try:
        result = verify(place.ledger, place.checkpoint)
    finally:
        place.log.write_bytes(true)
    assert result.ok == (result.first_bad is None)
    if result.first_bad is not None:
        assert f"record {result.first_bad} " in result.reason
        assert result.events <= COUNT
    return result.first_bad


def test_sound(place: Folders, lines: list[bytes]) -> None:
    assert first_bad(place, b"".join(lines)) is None


def flip_every_bit_of(place: Folders, lines: list[bytes], record: int) -> None:
    for at in range(8 * len(lines[record])):
        bad = bytearray(lines[record])
        bad[at // 8] ^= 1 << at % 8
        log = b"".join([*lines[:record], bytes(bad), *lines[record + 1 :]])
        assert first_bad(place, log) == record, f"bit {at} of record {record}"


def test_every_bit_of_the_last_record(place: Folders, lines: list[bytes]) -> None:
    flip_every_bit_of(place, lines, COUNT - 1)


@pytest.mark.slow
@pytest.mark.parametrize("record", range(COUNT - 1))
def test_every_bit_of_every_other_record(place: Folders, lines: list[bytes], record: int) -> None:
    flip_every_bit_of(place, lines, record)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bit(place: Folders, lines: list[bytes], data: st.DataObject) -> None:
    record = data.draw(st.integers(0, COUNT - 1))
    at = data.draw(st.integers(0, 8 * len(lines[record]) - 1))
    bad = bytearray(lines[record])
    bad[at // 8] ^= 1 << at % 8
    assert first_bad(place, b"".join([*lines[:record], bytes(bad), *lines[record + 1 :]])) == record


@pytest.mark.parametrize(("i", "j"), list(combinations(range(COUNT), 2)))
def test_swapped(place: Folders, lines: list[bytes], i: int, j: int) -> None:
    swapped = list(lines)
    swapped[i], swapped[j] = lines[j], lines[i]
    assert first_bad(place, b"".join(swapped)) == i


@pytest.mark.parametrize("k", range(COUNT))
def test_removed_and_repeated(place: Folders, lines: list[bytes], k: int) -> None:
    assert first_bad(place, b"".join(lines[:k] + lines[k + 1 :])) == k
    assert first_bad(place, b"".join(lines[: k + 1] + lines[k:])) == k + 1


def test_any_truncation(place: Folders, lines: list[bytes]) -> None:
    log = b"".join(lines)
    boundaries = [len(b"".join(lines[:k])) for k in range(COUNT)]
    for size in (*boundaries, *(size - 1 for size in boundaries[1:]), *range(boundaries[-2], len(log))):
        assert first_bad(place, log[:size]) == log[:size].count(b"\n"), f"cut to {size} bytes"


def test_a_record_added_without_the_key(place: Folders, lines: list[bytes]) -> None:
    """One well-chained record cannot be told from an append that a crash cut off: it is reported, and not counted."""
    last = json.loads(lines[-1])
    forged = {**last, "seq": COUNT, "prev": hash_line(lines[-1][:-1])}
    raw = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    true = place.log.read_bytes()
    place.log.write_bytes(true + raw)
    result = verify(place.ledger, place.checkpoint)
    place.log.write_bytes(true)
    assert (result.ok, result.events, result.unsigned_bytes) == (True, COUNT, len(raw))
    assert "before it was acknowledged" in result.reason


def rechain(records: list[bytes]) -> bytes:
    """A consistent chain of whatever is given: what someone without the key can make."""
    out, head = [], GENESIS
    for seq, raw in enumerate(records):
        body = {**json.loads(raw), "seq": seq, "prev": head}
        line = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        head = hash_line(line)
        out.append(line + b"\n")
    return b"".join(out)


def test_a_chain_redone_without_the_key(place: Folders, lines: list[bytes]) -> None:
    assert rechain(lines) == b"".join(lines)
    altered = [line.replace(b'"branch":"b1"', b'"branch":"bX"') for line in lines]
    assert first_bad(place, rechain(altered)) == COUNT - 1
    assert first_bad(place, rechain(lines[:2] + lines[3:])) == COUNT - 1


def test_garbage(place: Folders, lines: list[bytes]) -> None:
    for log, expected in [
        (b"", 0),
        (b"\n" * COUNT, 0),
        (b"[" * 100_000, 0),
        (lines[0] + b"{}\n" + b"".join(lines[2:]), 1),
        (lines[0] + b"null\n" + b"".join(lines[2:]), 1),
        (b"\xff\xfe" + b"".join(lines), 0),
        (b"\n" + b"".join(lines), 0),
        (b"".join(lines).replace(b"\n", b"\r\n"), 0),
    ]:
        assert first_bad(place, log) == expected, log[:40]


# --- the anchor -------------------------------------------------------------------------------------------


def copy(place: Folders, root: Path) -> Folders:
    shutil.copytree(place.ledger.parent, root, dirs_exist_ok=True)
    return folders(root)


@pytest.mark.parametrize("name", ["checkpoint.json", "ledger.key", "ledger.pub"])
def test_every_byte_of_the_anchor(place: Folders, tmp_path: Path, name: str) -> None:
    """Two bits of each byte, one of them the bit that turns a hex digit into its capital."""
    attacked = copy(place, tmp_path)
    path = attacked.checkpoint / name
    true = path.read_bytes()
    for at, bit in product(range(len(true)), (0, 5)):
        bad = bytearray(true)
        bad[at] ^= 1 << bit
        path.write_bytes(bad)
        result = verify(attacked.ledger, attacked.checkpoint)
        assert not result.ok and result.first_bad in ("checkpoint", "key"), f"bit {bit} of byte {at} of {name}"


def rolled_back(place: Folders) -> None:
    """Log and checkpoint of another, shorter ledger: consistent in itself, signed by another key."""
    other = folders(place.ledger.parent / "other")
    other.open().append(finding(0))
    shutil.copy(other.log, place.log)
    shutil.copy(other.checkpoint / "checkpoint.json", place.checkpoint / "checkpoint.json")


ANCHOR: list[tuple[str, Callable[[Folders], object], object, str]] = [
    (
        "no checkpoint",
        lambda p: (p.checkpoint / "checkpoint.json").unlink(),
        "checkpoint",
        "checkpoint.json is missing",
    ),
    ("no public key", lambda p: (p.checkpoint / "ledger.pub").unlink(), "key", "ledger.pub is missing"),
    ("no private key", lambda p: (p.checkpoint / "ledger.key").unlink(), "key", "ledger.key is missing"),
    ("no checkpoint folder", lambda p: shutil.rmtree(p.checkpoint), "key", "ledger.pub is missing"),
    ("no log", lambda p: p.log.unlink(), 0, "all 6 signed records are gone"),
    ("another ledger's checkpoint", rolled_back, "checkpoint", "signed by key"),
]


@pytest.mark.parametrize(("attack", "bad", "reason"), [row[1:] for row in ANCHOR], ids=[row[0] for row in ANCHOR])
def test_anchor(place: Folders, tmp_path: Path, attack: Callable[[Folders], object], bad: object, reason: str) -> None:
    attacked = copy(place, tmp_path)
    assert verify(attacked.ledger, attacked.checkpoint).ok
    attack(attacked)
    result = verify(attacked.ledger, attacked.checkpoint)
    assert (result.ok, result.first_bad) == (False, bad), result
    assert reason in result.reason


def test_with_a_public_key_kept_elsewhere(place: Folders, tmp_path: Path) -> None:
    public = bytes.fromhex((place.checkpoint / "ledger.pub").read_text())
    attacked = copy(place, tmp_path)
    for name in ("ledger.key", "ledger.pub"):
        (attacked.checkpoint / name).unlink()
    assert verify(attacked.ledger, attacked.checkpoint, public).ok
    other = folders(tmp_path / "forged")
    other.open().append(finding(0))
    assert verify(other.ledger, other.checkpoint).ok
    result = verify(other.ledger, other.checkpoint, public)
    assert (result.ok, result.first_bad) == (False, "checkpoint")
    assert "signed by key" in result.reason
    result = verify(tmp_path / "none", tmp_path / "none", public)
    assert (result.ok, result.first_bad) == (False, "checkpoint")


def test_verification_changes_nothing(tmp_path: Path) -> None:
    place = folders(tmp_path)
    place.open().append(*ONE_OF_EACH)
    with place.log.open("ab") as log:
        log.write(b"torn")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert verify(place.ledger, place.checkpoint).ok
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_writers_go_on_while_it_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folders(tmp_path)
    ledger = place.open()
    ledger.append(*ONE_OF_EACH)
    check = verify_module._check

    def append_meanwhile(*arguments: Any) -> Verification:
        Ledger(place.ledger, place.checkpoint, lock_timeout_seconds=0.1).append(finding(0), finding(1))
        return check(*arguments)

    monkeypatch.setattr(verify_module, "_check", append_meanwhile)
    result = verify(place.ledger, place.checkpoint)
    assert (result.ok, result.events, result.unsigned_bytes) == (True, len(ONE_OF_EACH), 0), result.reason
