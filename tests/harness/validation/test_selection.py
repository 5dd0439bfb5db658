"""Overfitting, superiority and selection on families whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harness.validation.overfitting import overfitting
from harness.validation.selection import follow, path_returns, ratios
from harness.validation.splits import combinatorial, walk_forward
from harness.validation.superiority import superiority
from modules.panel import FloatArray


def noise(bars: int, members: int, seed: int) -> FloatArray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal((bars, members)) * 0.01


def _ratio(x: FloatArray) -> float:
    return float(x.mean() / x.std(ddof=1))


def test_overfitting_by_its_definition() -> None:
    family = noise(123, 5, 1)
    found = overfitting(family, blocks=6)
    assert found is not None and (found.blocks, found.block_bars, found.splits) == (6, 20, 20)
    blocks = family[3:].reshape(6, 20, 5)
    low = lost = 0
    for half in itertools.combinations(range(6), 3):
        inside = np.concatenate([blocks[k] for k in half])
        outside = np.concatenate([blocks[k] for k in range(6) if k not in half])
        best = int(np.argmax([_ratio(inside[:, k]) for k in range(5)]))
        out = [_ratio(outside[:, k]) for k in range(5)]
        rank = 1 + sum(x < out[best] for x in out)
        low += np.log(rank / 6 / (1 - rank / 6)) <= 0
        lost += out[best] <= 0
    assert (found.probability, found.loss) == (low / 20, lost / 20)


def test_overfitting_of_noise_of_skill_and_of_a_plateau() -> None:
    found = [overfitting(noise(800, 20, seed)) for seed in range(12)]
    assert 0.3 < np.mean([f.probability for f in found if f]) < 0.7
    assert np.mean([f.loss for f in found if f]) > 0.3
    skilled = noise(800, 20, 1)
    skilled[:, 7] += 0.004
    best = overfitting(skilled)
    assert best is not None and best.probability == 0.0 and best.loss == 0.0
    plateau = noise(800, 1, 3) + 0.003 + noise(800, 6, 4) * 0.05
    alike = overfitting(plateau)
    assert alike is not None and alike.loss == 0.0 and alike.probability > 0.05


@pytest.mark.parametrize(("bars", "members", "blocks"), [(1600, 2, 16), (100, 2, 10), (45, 2, 4)])
def test_blocks_shrink_with_history(bars: int, members: int, blocks: int) -> None:
    found = overfitting(noise(bars, members, 1))
    assert found is not None and found.blocks == blocks


@pytest.mark.parametrize(("bars", "members"), [(39, 5), (500, 1)])
def test_no_overfitting_without_evidence(bars: int, members: int) -> None:
    assert overfitting(noise(bars, members, 1)) is None


def test_overfitting_against_purgedcv() -> None:
    oracle = pytest.importorskip("purgedcv")
    family = noise(800, 10, 5)  # an even number: a rank of exactly one half counts here and not there
    found = overfitting(family, blocks=8)
    told = oracle.probability_of_backtest_overfitting(family.T, n_splits=8)
    assert found is not None and found.probability == pytest.approx(told.pbo)


def test_superiority_finds_the_skilled_and_not_the_lucky() -> None:
    family = noise(600, 12, 2)
    lucky = superiority(family, 10, 300, 1)
    assert lucky is not None and lucky.p_value > 0.05 and lucky.superior == ()
    family[:, 4] += 0.003
    family[:, 9] = 0.0
    found = superiority(family, 10, 300, 1)
    assert found is not None and found.p_value <= 0.01 and found.superior == (4,) and found.members == 11
    assert found == superiority(family, 10, 300, 1)
    assert superiority(np.zeros((300, 3)), 10, 20, 1) is None


@pytest.mark.parametrize("members", [1, 2, 5])
def test_all_may_be_superior(members: int) -> None:
    """Also where they are found one after the other, the clear ones first."""
    family = noise(600, members, 2) + 0.0015 * np.arange(1, members + 1)
    found = superiority(family, 10, 200, 1)
    assert found is not None and found.superior == tuple(range(members)) and found.members == members


def test_scale_does_not_decide() -> None:
    family = noise(600, 4, 2)
    family[:, 1] += 0.003
    wild = family * np.array([50.0, 1.0, 1.0, 1.0])
    assert superiority(wild, 10, 200, 1) == superiority(family, 10, 200, 1)


def test_ratios_and_who_is_followed() -> None:
    family = noise(200, 4, 3)
    family[:100, 2] += 0.01
    family[100:, 2] -= 0.01
    family[:, 3] = 0.0
    rows = np.arange(30, 90)
    expected = [_ratio(family[rows, k]) for k in range(3)] + [0.0]
    assert ratios(family, rows) == pytest.approx(expected)
    followed = follow(family, walk_forward(200, 100, 50, 0, expanding=False))
    assert followed[0].chosen == 2 and followed[0].before == pytest.approx(_ratio(family[:100, 2]))
    assert np.array_equal(followed[0].returns, family[100:150, 2])


def test_paths_follow_what_each_split_chose() -> None:
    family = noise(120, 5, 6)
    paths = combinatorial(120, 6, 2, 1, 1)
    found = path_returns(family, paths)
    assert len(found) == 5 and all(r.size == 120 for r in found)
    split = paths.splits[paths.by_path[1, 3]]
    best = int(np.argmax(ratios(family, split.train)))
    assert np.array_equal(found[1][60:80], family[60:80, best])
