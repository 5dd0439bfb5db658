"""Simulated markets with a known truth: what is there is found, what is not there does not pass.

1. The validation's interval (99 %) around the engine's net Sharpe ratio covers the planted one in at least 95 of 100
   seeds; without an effect it covers what costs alone give.
2. On pure noise the whole chain passes at most 5 of 100 searches of 200 trials each. The naive best is printed beside.
3. A chain that refused everything would pass 2: of searches that hold one true signal, most pass.

`pytest -s` prints the figures.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from harness.validation.checks import interval, run_checks
from harness.validation.report import Verdict
from harness.validation.resample import block_bars, outcomes
from modules.engine.settings import Costs
from tests.harness.validation.market import market, search

SEEDS = 100
TRIALS = 200
DRAWS = 99


def _covers(seed: int, effect: float) -> tuple[bool, float, bool]:
    found = market(seed, effect)
    weights = found.weights(found.signal)
    account = found.account(weights, Costs())
    net = account.net_returns()
    cost = float((account.gross_returns() - net).mean())
    truth = found.true_sharpe(weights, cost)
    rng = np.random.Generator(np.random.PCG64(seed))
    low, high = interval(np.sort(outcomes(net, float(block_bars(net)), 1_000, rng)[:, 0]))
    return low <= truth <= high, truth, low > 0.0


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "seen"), [(0.07, 90), (0.0, 0)])
def test_1_a_planted_effect_is_recovered_within_its_interval(effect: float, seen: int) -> None:
    made = [_covers(seed, effect) for seed in range(SEEDS)]
    covered = sum(c for c, _, _ in made)
    above = sum(a for _, _, a in made)
    truth = np.mean([t for _, t, _ in made]) * math.sqrt(252)
    print(f"\neffect {effect}: true net Sharpe {truth:.2f}, covered in {covered} of {SEEDS}, above 0 in {above}")
    assert covered >= 95
    assert above >= seen if effect else above == 0


@pytest.mark.soak
def test_2_noise_does_not_pass() -> None:
    passed, naive, held = 0, [], Counter[str]()
    for seed in range(SEEDS):
        found = search(market(10_000 + seed, 0.0, bars=756), TRIALS, seed, with_the_real_one=False)
        naive.append(found.best_sharpe)
        checks = run_checks(found.evidence, seed, DRAWS).checks
        held.update(c.name for c in checks if c.verdict is Verdict.PASSED)
        passed += all(c.verdict in (Verdict.PASSED, Verdict.SHOWN) for c in checks)
    print(f"\n{passed} of {SEEDS} searches of {TRIALS} trials on noise pass the chain;")
    print(f"their naive best Sharpe: mean {np.mean(naive):.2f}, least {min(naive):.2f}, most {max(naive):.2f}")
    print("each check alone passes:", dict(held))
    assert passed <= 5
    assert np.mean(naive) > 1.0
    assert held["probabilistic_sharpe"] > 90, "each on its own, most of these would be believed"


@pytest.mark.soak
def test_3_what_is_there_passes() -> None:
    passed, naive, missed = 0, [], Counter[str]()
    for seed in range(20):
        found = search(market(20_000 + seed, 0.08, bars=1_260), TRIALS, seed, with_the_real_one=True)
        naive.append(found.best_sharpe)
        checks = run_checks(found.evidence, seed, DRAWS).checks
        missed.update(c.name for c in checks if c.verdict not in (Verdict.PASSED, Verdict.SHOWN))
        passed += all(c.verdict in (Verdict.PASSED, Verdict.SHOWN) for c in checks)
    print(f"\n{passed} of 20 searches with one true signal (Sharpe {np.mean(naive):.2f}) pass; failed: {dict(missed)}")
    assert passed >= 15
