"""The noise floor.

1. The compiled bootstrap has the law of arch's stationary bootstrap.
2. Equal seeds give equal bits; refining draws on, it does not start over.
3. Under the null the p-value is uniform; a real difference is found; leverage and identity are no effect.
"""

from __future__ import annotations

import numpy as np
import pytest

from ablations.bootstrap import (
    GUIDE,
    draw,
    draw_clustered,
    guide_table,
    length_table,
    long_run_variance,
    pool,
    prefix_sums,
    sharpe_process,
)
from ablations.floor import SHORTEST_BLOCK_BARS, FloorError, Series, measure
from ablations.gate import discovered
from tests.ablations.made import arms, returns


def test_the_law_is_that_of_arch() -> None:
    from arch.bootstrap import StationaryBootstrap

    made = arms(1, 0.3, bars=400)
    effects, process = sharpe_process(made.baseline, made.patched, np.sqrt(252.0))
    pooled = pool(process)
    assert pooled.mean() == pytest.approx(effects.mean())
    lengths = length_table(20.0, 400)
    sums, rng = prefix_sums(pooled.reshape(1, -1)), np.random.Generator(np.random.PCG64(5))
    ours = draw(sums, lengths, guide_table(lengths), 20_000, rng)[:, 0]
    theirs = np.array([x[0][0].mean() for x in StationaryBootstrap(20, pooled, seed=7).bootstrap(4_000)])
    assert ours.mean() == pytest.approx(theirs.mean(), abs=4.0 * theirs.std() / np.sqrt(4_000))
    assert ours.std() == pytest.approx(theirs.std(), rel=0.05)
    assert ours.std() == pytest.approx(np.sqrt(long_run_variance(pooled, 20.0)), rel=0.05)
    for q in (0.05, 0.95):
        assert np.quantile(ours, q) == pytest.approx(np.quantile(theirs, q), abs=0.1 * theirs.std())


def test_block_lengths_are_geometric() -> None:
    table = length_table(20.0, 1_000)
    assert table[:3] == pytest.approx([0.05, 0.0975, 0.142625])
    assert table[-1] == 1.0
    assert np.diff(table).min() >= 0.0


def test_the_process_is_the_sharpe_difference_task_by_task() -> None:
    made = arms(2, 0.4)
    effects, process = sharpe_process(made.baseline, made.patched, np.sqrt(252.0))
    expected = [
        np.sqrt(252.0) * (y.mean() / y.std() - x.mean() / x.std())
        for x, y in zip(made.baseline, made.patched, strict=True)
    ]
    assert effects == pytest.approx(expected)
    assert process.mean(axis=1) == pytest.approx(expected)


def test_within_draw_errors_match_the_spread_of_draws() -> None:
    made = arms(3, 0.0)
    _, process = sharpe_process(made.baseline, made.patched, np.sqrt(252.0))
    lengths, rng = length_table(20.0, made.bars), np.random.Generator(np.random.PCG64(1))
    guide = guide_table(lengths)
    drawn = draw(prefix_sums(pool(process).reshape(1, -1)), lengths, guide, 5_000, rng)
    clusters = draw_clustered(prefix_sums(process), lengths, guide, 5_000, rng)
    assert np.median(drawn[:, 1]) == pytest.approx(drawn[:, 0].std(), rel=0.1)
    assert np.median(clusters[:, 1]) > np.median(drawn[:, 1])


def test_one_task_held_fixed_is_its_own_cluster() -> None:
    """With one task there is nothing to resample: both ways of drawing agree but for rounding."""
    made = arms(3, 0.4, tasks=1, bars=500)
    _, process = sharpe_process(made.baseline, made.patched, np.sqrt(252.0))
    lengths = length_table(20.0, 500)
    guide = guide_table(lengths)
    rng = [np.random.Generator(np.random.PCG64(2)) for _ in range(2)]
    fixed = draw(prefix_sums(process), lengths, guide, 1, rng[0])
    assert fixed == pytest.approx(draw_clustered(prefix_sums(process), lengths, guide, 1, rng[1]))


@pytest.mark.parametrize("mean", [20.0, 33.3, 400.0])
def test_the_guide_changes_no_length(mean: float) -> None:
    lengths = length_table(mean, 700)
    guide = guide_table(lengths)
    for u in np.random.default_rng(4).random(2_000):
        assert np.argmax(lengths > u) >= guide[int(u * GUIDE)]
    assert guide[0] == 0


def test_equal_seeds_give_equal_bits() -> None:
    made = arms(4, 0.8)
    assert measure(made, 1e-3, 11) == measure(made, 1e-3, 11)
    one, other = measure(made, 1e-3, 11), measure(made, 1e-3, 12)
    assert one is not None
    assert other is not None
    assert one != other
    assert one.delta == other.delta


@pytest.mark.parametrize(
    ("name", "patched"),
    [
        ("identical", lambda x: x.copy()),
        ("levered", lambda x: 2.0 * x),
        ("delevered", lambda x: 0.5 * x),
        ("rounding", lambda x: x * (1.0 + 1e-13)),
    ],
)
def test_no_effect(name: str, patched: object) -> None:
    assert callable(patched)
    x = returns(5)
    assert measure(Series(x, patched(x), 252.0), 1e-3, 1) is None, name


def test_a_series_that_does_not_move_has_no_sharpe_ratio() -> None:
    x = returns(6)
    still = np.zeros_like(x)
    found = measure(Series(x, still, 252.0), 1e-3, 1)
    assert found is not None
    before = [np.sqrt(252.0) * row.mean() / row.std() for row in x]
    assert found.effects == pytest.approx([-b for b in before])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_bars_are_refused(bad: float) -> None:
    x = returns(7)
    y = x.copy()
    y[3, 9] = bad
    with pytest.raises(FloorError, match="every bar"):
        Series(x, y, 252.0)


def test_nulls_are_uniform_and_cheap() -> None:
    p = []
    for seed in range(200):
        found = measure(arms(100 + seed, 0.0, bars=1_000), 1e-3, seed)
        assert found is not None
        p.append(found.p_value)
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert 0.40 <= np.mean(p) <= 0.60
    assert np.mean(np.array(p) <= 1e-3) <= 0.02


def test_refinement_stops_where_the_level_is_told_apart() -> None:
    hopeless = measure(arms(8, -1.0), 1e-3, 1)
    strong = measure(arms(8, 2.5), 1e-4, 1)
    assert hopeless is not None
    assert strong is not None
    assert hopeless.draws == 1_000
    assert strong.draws == 256_000
    assert discovered(strong, 1e-4)
    assert not discovered(strong, 1e-6)  # 0 of 256,000 draws do not speak of 1e-6


def test_bound_and_p_value_agree_on_the_sign() -> None:
    for lift in (-1.0, 0.0, 1.0):
        found = measure(arms(9, lift), 0.05, 1)
        assert found is not None
        if found.lower_bound > 0.0:  # the bound is over tasks and time, so it is the harder one
            assert found.p_value < 0.05
    assert found.lower_bound > 0.0


def test_dependence_between_tasks_survives() -> None:
    """Eight copies of one task are one task's evidence, not eight's."""
    one = arms(10, 0.5, tasks=1)
    copies = Series(np.repeat(one.baseline, 8, axis=0), np.repeat(one.patched, 8, axis=0), 252.0)
    a, b = measure(one, 0.05, 1), measure(copies, 0.05, 1)
    assert a is not None
    assert b is not None
    assert b.standard_error == pytest.approx(a.standard_error)


def test_autocorrelated_differences_get_longer_blocks_and_wider_floors() -> None:
    rng = np.random.default_rng(3)
    shocks = rng.normal(size=(8, 3_000)) * 1e-3
    slow = np.apply_along_axis(lambda r: np.convolve(r, np.ones(60) / np.sqrt(60.0))[: r.size], 1, shocks)
    x = returns(11, bars=3_000)
    plain, sticky = measure(Series(x, x + shocks, 252.0), 1e-3, 1), measure(Series(x, x + slow, 252.0), 1e-3, 1)
    assert plain is not None
    assert sticky is not None
    assert plain.block_length_bars == SHORTEST_BLOCK_BARS
    assert sticky.block_length_bars > 40.0
    assert sticky.standard_error > 3.0 * plain.standard_error


@pytest.mark.parametrize("lift", [-1.0, 0.0, 1.0])
def test_a_patch_that_touches_few_tasks_has_a_bound(lift: float) -> None:
    """Many draws then hold only tasks without any difference, which have no error to divide by."""
    made = arms(12, lift)
    patched = made.baseline.copy()
    patched[:2] = made.patched[:2]
    found = measure(Series(made.baseline, patched, 252.0), 0.05, 1)
    assert found is not None
    assert np.isfinite([found.lower_bound, found.p_value, *found.curve]).all()
    assert found.lower_bound < max(0.25 * lift, 0.05)
    assert not discovered(found, 0.01) or lift > 0.0
