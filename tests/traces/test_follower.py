"""Following a ledger while others append.

1. Every acknowledged event is yielded once, in order, whatever the pieces it came in; a kept mark goes on there.
2. What no append acknowledged is not yielded, and what is set aside later does not confuse the place.
3. Another log in the same place is refused, never read on from the middle.
4. With kinds, only those are yielded, whatever texts claim to be of one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.traces.samples import ONE_OF_EACH, finding, folders
from traces.log import LedgerError
from traces.reader import Follower, read


def test_1_each_event_once_in_order(tmp_path: Path) -> None:
    place = folders(tmp_path)
    follower = Follower(place.ledger, place.checkpoint)
    assert list(follower.new()) == []
    seen = []
    with place.open() as ledger:
        for size in (1, 3, 7, 2):
            ledger.append(*(finding(n) for n in range(size)))
            seen += follower.new()
            assert list(follower.new()) == []
        ledger.append(*ONE_OF_EACH)
    seen += Follower(place.ledger, place.checkpoint, follower.mark).new()
    assert seen == list(read(place.ledger, place.checkpoint)) and len(seen) == 13 + len(ONE_OF_EACH)


def test_2_an_append_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    place = folders(tmp_path)
    with place.open() as ledger:
        ledger.append(finding(0))
    follower = Follower(place.ledger, place.checkpoint)
    assert len(list(follower.new())) == 1
    with place.log.open("ab") as log:
        log.write(b'{"event":{"kind":"finding.rec')
    assert list(follower.new()) == []
    with place.open() as ledger:
        ledger.append(finding(1))
    assert [e.event.kind for e in follower.new()] == ["ledger.repaired", "review.rejected"]


def test_3_another_log_is_refused(tmp_path: Path) -> None:
    place, other = folders(tmp_path / "a"), folders(tmp_path / "b")
    for at, one in enumerate((place, other)):
        with one.open() as ledger:
            ledger.append(*(finding(at + n) for n in range(3)))
    follower = Follower(place.ledger, place.checkpoint)
    assert len(list(follower.new())) == 3
    with other.open() as ledger:
        ledger.append(finding(9))
    for name in ("ledger", "checkpoint"):
        shutil.rmtree(getattr(place, name))
        shutil.copytree(getattr(other, name), getattr(place, name))
    with pytest.raises(LedgerError, match="record 3 does not continue"):
        list(follower.new())
    shutil.rmtree(place.ledger)
    with pytest.raises(LedgerError, match="is gone, 3 records"):
        list(follower.new())


def test_4_only_the_kinds_asked_for(tmp_path: Path) -> None:
    place = folders(tmp_path)
    claims = finding(0).model_copy(update={"reason": '"kind":"run.started"'})
    with place.open() as ledger:
        ledger.append(*ONE_OF_EACH, claims)
    follower = Follower(place.ledger, place.checkpoint, kinds={"run.started", "trial.recorded"})
    assert [e.event.kind for e in follower.new()] == ["run.started", "trial.recorded"]
    assert follower.mark.seq == len(ONE_OF_EACH) + 1
