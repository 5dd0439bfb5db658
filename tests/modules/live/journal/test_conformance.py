"""What every journal does, whatever it is kept in.

1. What was appended is read back as it was, in order, after the next opening too; `seq` has no gap.
2. Times never go back, though the clock does; not over a restart either.
3. A group is recorded as a whole or not at all.
4. `durable` never falls, reaches what was appended on `sync`, and is at `last` after opening.
5. A second writer is refused; what was altered is not read as if it were true.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.live.journal.port import JournalError
from modules.live.messages import AnyMessage, Filled, Marked
from tests.modules.live.journal.samples import some
from tests.modules.live.journal.stores import SLOW, STORES, Store


@pytest.fixture(params=[pytest.param(s, marks=pytest.mark.slow) if s in SLOW else s for s in sorted(STORES)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from STORES[request.param](tmp_path / "journal")


def test_what_was_appended_is_read_back(store: Store) -> None:
    told: list[AnyMessage] = [some(n) for n in range(40)]
    with store.open() as journal:
        assert journal.durable == -1 and not list(journal.read())
        assert journal.append(told[0]) == 0
        assert journal.append(*told[1:7]) == 6
        assert [e.message for e in journal.read()] == told[:7], "before it is durable"
        assert journal.append() == 6, "nothing"
    with store.open() as journal:
        assert journal.durable == 6, "what is found at opening is durable"
        assert journal.append(*told[7:]) == 39
        entries = list(journal.read())
    assert [e.message for e in entries] == told
    assert [type(e.message) for e in entries] == [type(m) for m in told]
    assert [e.seq for e in entries] == list(range(40))
    assert len({e.prev for e in entries}) == 40, "each chains to another"
    with store.open() as journal:
        assert list(journal.read()) == entries
        assert list(journal.read(after=36)) == entries[37:] and not list(journal.read(after=39))


def test_times_do_not_go_back(store: Store) -> None:
    clock = iter([1_000, 999, 5, 2_000, 1_500])
    with store.open(lambda: next(clock)) as journal:
        for n in range(3):
            journal.append(some(n))
    with store.open(lambda: 7) as journal:
        journal.append(some(3))
        journal.append(some(4), some(5))
        entries = list(journal.read())
    times = [e.ts_ns for e in entries]
    assert times == [1_000] * 6 and [e.seq for e in entries] == list(range(6))


def test_what_cannot_be_recorded_leaves_nothing_of_its_group(store: Store) -> None:
    bad = [Marked("AAA", math.nan, 1), Filled("o1", "e1", "AAA", 1, math.inf, 1, 0, 1)]
    with store.open() as journal:
        journal.append(some(0))
        for message in bad:
            with pytest.raises(JournalError, match="finite"):
                journal.append(some(1), message, some(2))
        journal.append(some(3))
        assert [e.message for e in journal.read()] == [some(0), some(3)]
    with store.open() as journal:
        assert [e.seq for e in journal.read()] == [0, 1]


def test_durable_reaches_what_was_appended(store: Store) -> None:
    with store.open() as journal:
        seen = [journal.durable]
        for n in range(200):
            last = journal.append(some(n))
            seen.append(journal.durable)
            if n % 50 == 49:
                assert journal.sync() == last == journal.durable
        assert all(a <= b for a, b in itertools.pairwise(seen)) and seen[-1] <= 199
        assert journal.sync() == 199 and journal.sync() == 199


def test_a_second_writer_is_refused(store: Store) -> None:
    with store.open() as journal, pytest.raises(JournalError, match="another"):
        store.open()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(some(0))
    with store.open() as again:
        assert again.append(some(0)) == 0


@pytest.mark.parametrize("seq", [0, 3, 9])
def test_what_was_altered_is_not_believed(store: Store, seq: int) -> None:
    with store.open() as journal:
        for n in range(10):
            journal.append(some(n))
    store.alter(seq)
    with pytest.raises(JournalError, match=r"altered|chain|no entry"), store.open() as journal:
        list(journal.read())
