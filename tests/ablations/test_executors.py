"""Executors of this machine: the conformance suite, and what is the local pool's own.

1. Jobs get what they need while they run, and see no graphics card that they did not ask for.
2. A pool replaces what dies, ends what hangs, and leaves no process behind.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablations.executors.choice import ExecutorChoiceError, executor
from ablations.executors.local import LocalPool
from ablations.executors.machine import gpus, room
from ablations.executors.port import Executor, ExecutorError, Needs, Room, needs_of
from ablations.executors.serial import Serial
from tests.ablations import executor_jobs as work
from tests.ablations.executor_conformance import Conformance, Workers
from tests.ablations.executor_jobs import Told


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    with LocalPool(2) as made:
        yield made


class TestSerial(Conformance):
    @pytest.fixture
    def executor(self) -> Executor:
        return Serial()


class TestLocalPool(Conformance):
    @pytest.fixture
    def executor(self, pool: LocalPool) -> Executor:
        return pool


@pytest.mark.slow
class TestWorkersOfTheLocalPool(Workers):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with LocalPool(2) as made:
            yield made


# --- the local pool ---------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_a_pool_has_workers(workers: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        LocalPool(workers)


@pytest.mark.slow
def test_a_worker_killed_from_outside_between_and_during_calls(pool: LocalPool, tmp_path: Path) -> None:
    first = pool.map(work.where, [Told("a", tmp_path), Told("b", tmp_path, seconds=0.3)])
    assert set(pool.processes()) == {pid for _, pid, _, _ in first}
    for pid in pool.processes():
        os.kill(pid, signal.SIGKILL)
    again = pool.map(work.where, [Told("a", tmp_path, seconds=0.2), Told("b", tmp_path, seconds=0.2)])
    assert [name for name, *_ in again] == ["a", "b"]
    assert not {pid for _, pid, _, _ in first} & {pid for _, pid, _, _ in again}


@pytest.mark.slow
def test_a_job_that_hangs_is_ended(tmp_path: Path) -> None:
    with LocalPool(1, job_seconds=1.0) as short, pytest.raises(ExecutorError, match=r"\(hangs\) took longer than 1 s"):
        short.map(work.where, [Told("hangs", tmp_path, seconds=600.0)])


@pytest.mark.slow
def test_results_and_jobs_that_no_line_takes(pool: LocalPool) -> None:
    with pytest.raises(ExecutorError, match="no plain data"):
        pool.map(work.unsendable, [1])
    with pytest.raises(Exception, match=r"pickle|local object"):
        pool.map(lambda x: x, [1])
    assert pool.map(work.square, [2]) == [4]


@pytest.mark.slow
def test_jobs_share_the_room(pool: LocalPool, tmp_path: Path) -> None:
    """A job of two cpus runs alone in a pool of two, and may use two threads; no job overtakes it."""
    wide = Told("wide", tmp_path, Needs(cpus=2), 0.2)
    small = Told("small", tmp_path, seconds=0.2)
    pool.map(work.square, [1, 2])  # so that both processes are there
    spans = pool.map(work.overlap, [small, wide, small, small])
    assert spans[1][0] >= spans[0][1]
    assert min(spans[2][0], spans[3][0]) >= spans[1][1]
    assert max(spans[2][0], spans[3][0]) < min(spans[2][1], spans[3][1]), "two small jobs run at a time"
    [(_, _, threads, cards)] = pool.map(work.where, [wide])
    assert (int(threads) >= 2, cards) == (True, "")


@pytest.mark.slow
def test_cards_are_handed_out_and_taken_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two cards, three jobs that want one each: two at a time, each with a card of its own, in a process of its own."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7,-1,9")
    assert gpus() == ("4", "7")
    with LocalPool(3) as three:
        one = Told("one", tmp_path, Needs(gpus=1), 0.5)
        found = three.map(work.where, [one, one, one, Told("none", tmp_path)])
        cards = [card for _, _, _, card in found]
        assert set(cards[:2]) == {"4", "7"} and cards[2] in ("4", "7") and cards[3] == ""
        assert len({pid for _, pid, _, _ in found[:3]}) == 3
        [(_, _, _, both)] = three.map(work.where, [Told("two", tmp_path, Needs(gpus=2))])
        assert sorted(both.split(",")) == ["4", "7"]


@pytest.mark.slow
def test_a_closed_pool_leaves_no_process(tmp_path: Path) -> None:
    with LocalPool(2) as made:
        pids = {pid for _, pid, _, _ in made.map(work.where, [Told(n, tmp_path, seconds=0.2) for n in "ab"])}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# --- needs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [{"cpus": 0}, {"cpus": -1}, {"cpus": 1.5}, {"memory_mb": -1}, {"gpus": -1}, {"gpus": 65}, {"cpus": "2"}]
)
def test_needs_are_whole_and_within_limits(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=rf"needs\.{next(iter(bad))} is"):
        Needs(**bad)


def test_what_a_job_declares() -> None:
    assert needs_of(3) == Needs(1, 0, 0)
    assert needs_of(Told("a", Path(), Needs(2, 100, 1))) == Needs(2, 100, 1)
    assert Needs(2, 100, 1).fits(Room(2, 100, 1))
    assert not any(Needs(2, 100, 1).fits(r) for r in (Room(1, 100, 1), Room(2, 99, 1), Room(2, 100, 0)))
    assert Room(4, 300, 2).less(Needs(2, 100, 1)) == Room(2, 200, 1)


def test_this_machine_has_something() -> None:
    here = room()
    assert here.cpus >= 1 and here.memory_mb > 500 and here.gpus >= 0


def test_time_is_not_spent_before_work(tmp_path: Path) -> None:
    began = time.monotonic()
    with LocalPool(64):
        pass
    assert time.monotonic() - began < 0.5, "a pool starts no process before it has work"


# --- the choice -------------------------------------------------------------------------------------


def test_the_choice_of_an_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CWS_EXECUTOR", raising=False)
    with executor(1) as one, executor(2) as two, executor(3, "local") as three:
        assert isinstance(one, Serial)
        assert isinstance(two, LocalPool) and isinstance(three, LocalPool)
        assert (two.workers, three.workers) == (2, 3)
    for wrong in ("rai", "ray:", "ray:host", "ray:host:port", "local ", "ray:127.0.0.1:6379;rm"):
        monkeypatch.setenv("CWS_EXECUTOR", wrong)
        with pytest.raises(ExecutorChoiceError, match="CWS_EXECUTOR is"), executor(2):
            pass
