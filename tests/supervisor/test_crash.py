"""`cws supervise`, killed with everything it started at random moments, and started again.

1. The next start continues, whatever the moment: in a run, a comparison, the ledger, a record, a commit, a branch.
2. No trial is lost or counted twice; the trials, their levels and verdicts are those of a night that nobody disturbed.
3. What ships has its branch with the record in it; git is whole, nothing is locked, the checkout is as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.supervisor.crashes import Desk, Nights, make_checkout

SEED = int(os.environ.get("CWS_CRASH_SEED", "6"))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("nights")
    checkout = make_checkout(folder / "checkout")
    with Desk(checkout, folder) as desk:
        yield Nights(checkout, folder, desk)


def kill(nights: Nights, kills: int, at_a_time: int) -> None:
    rng = np.random.Generator(np.random.PCG64(SEED))
    number = 0
    before = nights.kills.total()
    while nights.kills.total() - before < kills:
        nights.night(number, rng, min(at_a_time, kills - (nights.kills.total() - before)))
        number += 1
        print(f"night {number}: {dict(nights.kills)}, locks left {nights.locks_left}", flush=True)


@pytest.mark.slow
def test_eight_kills(nights: Nights, tmp_path: Path) -> None:
    kill(nights, 8, 4)


@pytest.mark.soak
def test_two_hundred_kills(nights: Nights) -> None:
    kill(nights, 200, 10)
    assert {"ledger", "time", "git", "record", "artifact"} <= set(nights.kills)
