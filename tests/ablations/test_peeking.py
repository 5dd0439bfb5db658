"""A supervisor that peeks gains nothing.

Every attack goes through the real book of trials, bootstrap and gate with patches that are worth nothing. In each:
1. a worthless patch ships no more often than the certificate allows (`MOST_FALSE_SHIPS`, at the 95 % upper bound);
2. what the attack repeats, renames, splits or waits for is paid for by falling levels, or is one and the same trial.
Attacks that need git or a ledger stand in tests/supervisor/test_forks.py.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from ablations.certificate import MOST_FALSE_SHIPS
from ablations.floor import Series, measure
from ablations.rates import upper_bound
from ablations.trials import first_level, next_level
from tests.ablations.peeker import MODULE, SETTINGS, Night, World

pytestmark = pytest.mark.slow

NIGHTS = 60
"""Without a single false ship the upper bound of the rate a night is then 4.9 %."""


def assert_gains_nothing(false_ships: int, tries: int) -> None:
    """The rate that the certificate speaks of, with its interval."""
    assert upper_bound(false_ships, tries) <= MOST_FALSE_SHIPS, f"{false_ships} of {tries} worthless patches shipped"


def test_submitting_the_same_patch_again() -> None:
    """Fifty times the same ablation is one trial with one verdict, and the next patch pays for one."""
    for seed in range(4):
        world, night = World.of(seed, 1), Night()
        series = world.one(0)
        verdicts = {night.submit("mine", series).verdict for _ in range(50)}
        assert len(verdicts) == 1
        assert len(night.trials) == 1
        assert night.submit("next", series).level == next_level([night.trials[0].rejected])


def test_splitting_a_patch_in_ten() -> None:
    """The whole, then ten tenths: eleven trials at falling levels, and still nothing worthless ships."""
    ships = 0
    for seed in range(NIGHTS):
        world, night = World.of(seed, 10), Night()
        judged = [night.submit([seed, "whole"], world.patched(np.ones(10)), values=10)]
        judged += [night.submit([seed, i], world.one(i)) for i in range(10)]
        assert len(night.trials) == 11
        ships += any(j.ships for j in judged)
    assert_gains_nothing(ships, NIGHTS)


def test_splitting_a_true_improvement_does_not_help_it() -> None:
    """Ten tenths of a truth ship less often than the truth, which pays once."""
    whole = parts = 0
    for seed in range(12):
        world = World.of(seed, 10)
        whole += Night().submit([seed], world.patched(np.ones(10), lift=1.0), values=10).ships
        night = Night()
        shown = [night.submit([seed, i], world.patched(np.eye(10)[i], lift=0.1)) for i in range(10)]
        parts += any(j.ships for j in shown)
    assert whole > parts
    assert whole >= 6


@pytest.mark.parametrize(
    ("rename", "names"),
    [
        (lambda i: {"no_trade_band": 0.02 + 1e-9 * i}, 60),  # another digit, another bootstrap seed
        (lambda i: {"no_trade_band": 0.02, "try": i}, 60),
    ],
)
def test_keeping_the_bootstrap_seed_that_wins(rename: Callable[[int], object], names: int) -> None:
    """A patch that is just not significant stays so under every seed: the error of the draws is counted against it."""
    series, p = _almost_significant()
    assert first_level() < p < 3.0 * first_level()
    night = Night(charged=False)
    judged = [night.submit(rename(i), series) for i in range(names)]
    assert len({j.p_value for j in judged}) > 1  # the seeds do differ
    assert not any(j.ships for j in judged)
    levels = [j.level for j in judged]
    assert all(later < earlier for earlier, later in pairwise(levels))
    # And at the first level, which none of them but the first would be granted:
    fresh = [Night().submit([i, "fresh"], series).ships for i in range(names)]
    assert_gains_nothing(sum(fresh), names)


def _almost_significant() -> tuple[Series, float]:
    """A worthless setting with a p-value between one and three times the first level, on the judging years."""
    for seed in range(400):
        world = World.of(seed, 6)
        shown = [world.one(i) for i in range(6)]
        series = world.patched(world.best(shown))
        found = measure(series, 0.05, 1)
        if found is None or found.p_value > 0.01:
            continue
        found = measure(series, 2.0 * first_level(), 1)
        if found is not None and 1.3 * first_level() < found.p_low and found.p_high < 3.0 * first_level():
            return series, found.p_value
    raise AssertionError("no such patch")


def test_keeping_the_random_setting_that_wins() -> None:
    """Sixteen settings that only throw dice; the luckiest is submitted five times more under other names."""
    ships = 0
    for seed in range(NIGHTS):
        world, night = World.of(seed), Night()
        judged = [night.submit([seed, i], world.one(i)) for i in range(SETTINGS)]
        lucky = int(np.argmin([j.p_value for j in judged]))
        judged += [night.submit([seed, lucky, again], world.one(lucky, 1.0 + 0.01 * again)) for again in range(1, 6)]
        ships += any(j.ships for j in judged)
    assert_gains_nothing(ships, NIGHTS)


def test_tuning_to_the_judging_tasks() -> None:
    """Each setting is looked at alone, then the best combination of all that was seen is submitted.

    Without the charge for combinations this is the attack that works; with it nothing ships.
    """
    free = paid = 0
    for seed in range(NIGHTS):
        world, night = World.of(seed), Night()
        shown = [world.one(i) for i in range(SETTINGS)]
        alone = any(night.submit([seed, i], s).ships for i, s in enumerate(shown))
        tuned = world.patched(world.best(shown))
        uncharged = Night(charged=False, trials=list(night.trials))
        free += uncharged.submit([seed, "best"], tuned, values=SETTINGS).ships
        paid += night.submit([seed, "best"], tuned, values=SETTINGS).ships or alone
    assert_gains_nothing(paid, NIGHTS)
    assert free > MOST_FALSE_SHIPS * NIGHTS


def test_tuning_under_another_name_for_the_module() -> None:
    """What was seen of one module is paid for by every module of its stage."""
    ships = 0
    for seed in range(NIGHTS):
        world, night = World.of(seed, 8), Night()
        shown = [world.one(i) for i in range(8)]
        for i, series in enumerate(shown):
            ships += night.submit([seed, i], series, module="size/other").ships
        ships += night.submit([seed, "best"], world.patched(world.best(shown)), module=MODULE, values=8).ships
    assert_gains_nothing(ships, NIGHTS)


def test_one_patch_in_many_forks() -> None:
    """Every fork of the workspace gives the same patch the same seed, the same draws and the same verdict."""
    series, _ = _almost_significant()
    forks = [Night().submit("mine", series) for _ in range(20)]
    assert len({(j.verdict.ship, j.p_value, j.level) for j in forks}) == 1
    assert not forks[0].ships


def test_waiting_for_a_favourable_place() -> None:
    """True improvements ship, and right after each, where levels are highest, worthless patches are slipped in."""
    worthless = false = real = 0
    highest = 0.0
    for seed in range(NIGHTS // 3):
        world, night = World.of(seed, 12), Night()
        for i in range(4):
            real += night.submit([seed, "real", i], world.patched(np.zeros(12) + 0.1, lift=6.0 + i)).ships
            for k in range(3):
                judged = night.submit([seed, i, k], world.one(3 * i + k))
                false += judged.ships
                worthless += 1
                highest = max(highest, judged.level)
    assert highest <= first_level()  # the level at which the certificate was measured
    assert real >= 70
    assert_gains_nothing(false, worthless)
    assert false / (false + real) <= 0.05
