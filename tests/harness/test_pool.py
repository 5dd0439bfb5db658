"""Work shared by processes: order, errors, deaths, and what is handed out when."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.pool import AHEAD, PoolError, in_order

_GIVEN: list[int] = []
_MEETING: list[Path] = []
PATIENCE_S = 120.0


def prepare(number: int, meeting: str = "") -> None:
    _GIVEN[:] = [number]
    _MEETING[:] = [Path(meeting)] if meeting else []


def square(n: int) -> tuple[int, int, str]:
    if _MEETING and n < 2:  # the first two are in the hands of two processes at once, however late one of them began
        (_MEETING[0] / str(n)).touch()
        until = time.monotonic() + PATIENCE_S
        while not (_MEETING[0] / str(1 - n)).exists() and time.monotonic() < until:
            time.sleep(0.01)
    time.sleep(0.05 * (n % 3 == 0))  # the first of each three comes back last
    return n * n + _GIVEN[0], os.getpid(), os.environ["CWS_THREADS"]


def fail_at_three(n: int) -> int:
    if n == 3:
        raise ValueError("three is refused")
    return n


def die_at_three(n: int) -> int:
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.mark.slow
def test_results_come_in_the_order_of_the_pieces_from_several_processes(tmp_path: Path) -> None:
    taken: list[int] = []

    def pieces() -> Iterator[int]:
        for n in range(20):
            taken.append(n)
            yield n

    found = []
    for answer in in_order(square, pieces(), 2, prepare, (7, str(tmp_path))):
        found.append(answer)
        assert len(taken) - len(found) <= AHEAD * 2  # a piece is taken no earlier than it can be worked on
    assert [a[0] for a in found] == [n * n + 7 for n in range(20)]
    assert os.getpid() not in {a[1] for a in found} and len({a[1] for a in found}) == 2
    assert {a[2] for a in found} == {str(max(1, (os.cpu_count() or 1) // 2))}
    assert "CWS_THREADS" not in os.environ or os.environ["CWS_THREADS"] != "7"


@pytest.mark.slow
def test_an_error_comes_through_and_a_death_is_named() -> None:
    with pytest.raises(ValueError, match="three is refused"):
        list(in_order(fail_at_three, range(9), 2))
    with pytest.raises(PoolError, match="--jobs 1"):
        list(in_order(die_at_three, range(9), 2))


@pytest.mark.slow
def test_leaving_early_leaves_no_process() -> None:
    answers = in_order(square, range(1_000), 2, prepare, (0,))
    pids = {next(answers)[1] for _ in range(6)}
    answers.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + PATIENCE_S
    while any(_alive(p) for p in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(p) for p in pids)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_a_number_of_processes_that_makes_no_sense(jobs: int) -> None:
    with pytest.raises(ValueError, match="give 1 to 64"):
        list(in_order(fail_at_three, [1], jobs))
