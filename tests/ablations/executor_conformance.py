"""What every executor must hold. `TestSomeExecutor(Conformance)` gives the fixture `executor`; those whose jobs run in
workers of their own are `Workers` too.

1. Results come in the order of the jobs; no jobs give no results.
2. The error raised is that of the first job that fails, whichever fails first; the executor works on afterwards.
3. A job that needs more than there is stops everything before anything runs.
4. A worker that is killed costs time and nothing else; a job that kills each of its workers is refused after so many.
5. An error or a result that cannot travel is told in words.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.executors.port import MOST_ATTEMPTS, Executor, ExecutorError, Needs
from tests.ablations import executor_jobs as work
from tests.ablations.executor_jobs import Told


class Conformance:
    def test_results_come_in_the_order_of_the_jobs(self, executor: Executor) -> None:
        jobs = [x for x in range(12) if x != 3]
        assert executor.map(work.square, jobs) == [x * x for x in jobs]
        assert executor.map(work.square, []) == []

    def test_the_error_of_the_first_job_that_fails_is_raised(self, executor: Executor) -> None:
        with pytest.raises(ValueError, match="13 is refused"):
            executor.map(work.square, [1, 13, 2])
        with pytest.raises(KeyError, match="3 is refused"):
            executor.map(work.square, [1, 3, 13])  # 13 fails long before 3 does
        assert executor.map(work.square, [4]) == [16]

    @pytest.mark.parametrize(
        "needs", [Needs(cpus=1_000), Needs(memory_mb=16_000_000), Needs(gpus=60)], ids=["cpus", "memory", "gpus"]
    )
    def test_what_no_machine_here_has_stops_everything(self, executor: Executor, tmp_path: Path, needs: Needs) -> None:
        with pytest.raises(ExecutorError, match=r"job 1 \(large\) needs .*larger machine"):
            executor.map(work.die_once, [Told("small", tmp_path), Told("large", tmp_path, needs)])
        assert not (tmp_path / "done").exists()


class Workers:
    def test_a_killed_worker_costs_time_and_nothing_else(self, executor: Executor, tmp_path: Path) -> None:
        names = ["a", "dies1", "b", "dies2", "c", "d"]
        assert executor.map(work.die_once, [Told(n, tmp_path) for n in names]) == names
        assert sorted((tmp_path / "done").read_text().split()) == sorted(names), "a job ran twice, or never"

    def test_a_job_that_kills_its_workers_is_given_up(self, executor: Executor, tmp_path: Path) -> None:
        with pytest.raises(ExecutorError, match=rf"job 1 \(dies\): its worker died {MOST_ATTEMPTS} times"):
            executor.map(work.die_always, [Told("a", tmp_path), Told("dies", tmp_path), Told("b", tmp_path)])
        assert (tmp_path / "begun").read_text().split().count("dies") == MOST_ATTEMPTS
        assert executor.map(work.square, [5]) == [25]

    def test_an_error_that_cannot_travel_is_told(self, executor: Executor) -> None:
        with pytest.raises(ExecutorError, match="OddError: 7 and 7"):
            executor.map(work.oddly, [7])

    def test_code_of_another_day_is_refused(self, executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
        """The code changed since this process began to compute: a worker would load the new one."""
        monkeypatch.setattr(f"{type(executor).__module__}.ground", lambda: "f" * 64)
        if hasattr(executor, "close_workers"):
            executor.close_workers()
        with pytest.raises(ExecutorError, match="other code"):
            executor.map(work.square, [1])
