"""Conformance of executors: order of the jobs, first error raised, any number of workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ablations.executor import Executor, LocalPool, Serial
from tests.ablations.executors import square


@pytest.fixture(scope="module", params=["serial", "pool"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "serial":
        yield Serial()
        return
    with LocalPool(2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_jobs(executor: Executor) -> None:
    assert executor.map(square, range(12)) == [x * x for x in range(12)]
    assert executor.map(square, []) == []


def test_the_error_of_a_job_is_raised(executor: Executor) -> None:
    with pytest.raises(ValueError, match="13 is refused"):
        executor.map(square, [1, 13, 2])
    assert executor.map(square, [3]) == [9]


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_a_pool_has_workers(workers: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        LocalPool(workers)
