"""Memory that results give back.

1. No two arrays that anybody can still read share a byte; a view keeps its pages, however it was made.
2. What is handed out again was given back first, and is the size of what was asked.
3. Never more than MOST_KEPT bytes are kept.
4. `zeros` holds zeros, whatever was written before.
"""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from modules import memory
from modules.memory import MOST_KEPT, empty, zeros
from modules.panel import FloatArray

LARGE = 2**20  # values; 8 MiB


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    gc.collect()
    memory._kept.clear()


def test_what_is_read_is_never_handed_out_again() -> None:
    rng = np.random.default_rng(5)
    held: list[tuple[float, FloatArray]] = []
    for turn in range(80):
        array = empty((int(rng.integers(1, 4)), LARGE))
        array.reshape(-1)[::999] = turn
        marks = array.reshape(-1)[::999]
        view = (marks, marks[3:], marks.view(np.int64)[::2].view(np.float64), marks.reshape(-1, 1).T)[turn % 4]
        held.append((turn, view))
        del array
        if len(held) > 6:
            held.pop(int(rng.integers(len(held))))
        for mark, kept in held:
            assert (kept == mark).all()


def test_pages_come_back_once_the_last_view_is_gone() -> None:
    array = empty((LARGE,))
    at, tail = array.ctypes.data, array[10:]
    array.fill(1.0)
    del array
    assert empty((LARGE,)).ctypes.data != at, "the tail is still read"
    memory._kept.clear()
    del tail
    assert empty((LARGE + 2**20,)).ctypes.data != at, "of another size"
    again = empty((LARGE - 5,))  # the same pages
    assert again.ctypes.data == at and (again == 1.0).all()


def test_as_much_is_kept_as_was_said() -> None:
    many = [empty((4 * LARGE,)) for _ in range(MOST_KEPT // (32 * LARGE) + 3)]
    too_large = empty((MOST_KEPT // 8 + LARGE,))
    del many, too_large
    assert 0 < sum(map(len, memory._kept)) <= MOST_KEPT


def test_zeros_are_zeros() -> None:
    written = empty((LARGE,))
    written.fill(3.0)
    del written
    assert memory._kept and not zeros((LARGE,)).any()


def test_threads_never_get_the_same_pages() -> None:
    wrong: list[int] = []

    def work(mark: int) -> None:
        for _ in range(40):
            array = empty((LARGE,))
            array[::4096] = mark
            if not (array[::4096] == mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_little_memory_is_numpys() -> None:
    assert empty((10,)).base is None and zeros((3, 4)).base is None
