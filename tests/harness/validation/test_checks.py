"""The chain of checks: every name is answered once, bad input is too little evidence, equal seeds give equal bits.

A table of what can be wrong with evidence; none of it may crash, and none may pass.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.validation.checks import luck_bar, run_checks
from harness.validation.evidence import Evidence, Family
from harness.validation.limits import LIMITS, judge, lacking
from harness.validation.report import Check, Tables, Trials, ValidationReport, Verdict
from modules.panel import FloatArray

DRAWS = 99
PASSED, FAILED, SHOWN, LACKING = Verdict.PASSED, Verdict.FAILED, Verdict.SHOWN, Verdict.TOO_LITTLE_EVIDENCE
DAY_NS = 86_400_000_000_000


def evidence(bars: int = 600, members: int = 4, mean: float = 0.0, seed: int = 1) -> Evidence:
    """Holdings of five symbols that know nothing, or earn `mean` a bar above their noise."""
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = rng.standard_normal((bars, 5)) * 0.1
    ahead = rng.standard_normal((bars, 5)) * 0.01
    ahead += np.sign(weights) * mean * 4
    net = np.concatenate([[0.0, 0.0], (weights * ahead).sum(axis=1)[:-2]])
    family = np.column_stack([net, *(net + rng.standard_normal(bars) * 0.0005 for _ in range(members - 1))])
    start = 400
    return Evidence(
        ts=np.arange(bars, dtype=np.int64) * DAY_NS,
        per_year=252.0,
        net=net,
        fills=1_000,
        weights=weights,
        ahead=ahead,
        market=rng.standard_normal(bars + start) * 0.01,
        family=Family(("own", *("variant",) * (members - 1)), tuple(f"s{k}" for k in range(members)), family),
        trials=10,
        trial_sharpes=(0.01, 0.02, -0.03),
        stressed=net - 0.00001,
        late=net * 0.9 + 0.00001,
        capacity=(),
        capacity_words="",
        purge_bars=2,
        embargo_bars=6,
    )


def with_net(e: Evidence, net: FloatArray) -> Evidence:
    family = e.family.returns.copy()
    family[:, 0] = net
    return dataclasses.replace(e, net=net, family=dataclasses.replace(e.family, returns=family))


def found(e: Evidence, seed: int = 0) -> dict[str, Check]:
    checks = run_checks(e, seed, DRAWS).checks
    assert [c.name for c in checks] == list(LIMITS), "each limit is answered once, in its order"
    return {c.name: c for c in checks}


def test_skill_passes_and_noise_does_not() -> None:
    good = found(evidence(mean=0.0005))
    assert {c.verdict for c in good.values()} == {PASSED, SHOWN}, [c for c in good.values() if c.verdict is FAILED]
    bad = found(evidence())
    for name in ("deflated_sharpe", "block_permutation", "phase_permutation", "superior_ability", "loss_probability"):
        assert bad[name].verdict is FAILED, name


def _nan() -> Evidence:
    e = evidence(mean=0.0005)
    net = e.net.copy()
    net[7] = np.nan
    return with_net(e, net)


# what is wrong, the evidence, what every check says
NOTHING_CAN_BE_SAID = [
    ("short", lambda: evidence(bars=251, mean=0.0005), "251 bars; at least 252 are needed"),
    ("one bar", lambda: evidence(bars=3), "3 bars; at least 252"),
    ("NaN", _nan, "1 of 600 returns are not numbers"),
    ("infinite", lambda: with_net(evidence(), np.full(600, np.inf)), "600 of 600 returns are not numbers"),
    ("constant", lambda: with_net(evidence(), np.full(600, 0.001)), "all 600 returns are the same"),
    ("no trades", lambda: dataclasses.replace(with_net(evidence(), np.zeros(600)), fills=0), "0 fills; at least 30"),
    ("few trades", lambda: dataclasses.replace(evidence(mean=0.0005), fills=29), "29 fills; at least 30"),
]


@pytest.mark.parametrize(
    ("make", "said"), [r[1:] for r in NOTHING_CAN_BE_SAID], ids=[r[0] for r in NOTHING_CAN_BE_SAID]
)
def test_nothing_can_be_said(make: object, said: str) -> None:
    checks = found(make())  # type: ignore[operator]
    assert {c.verdict for c in checks.values()} == {LACKING}
    assert all(said in c.words and c.figure is None for c in checks.values())


# what is missing, the evidence, which checks cannot be made, what they say
ONE_CANNOT_BE_MADE = [
    (
        "one window",
        lambda e: dataclasses.replace(e, embargo_bars=400),
        ("purged_k_fold", "combinatorial_paths"),
        "400 embargoed leave nothing to train on",
    ),
    (
        "family of one",
        lambda e: dataclasses.replace(e, family=Family(("own",), ("s",), e.family.returns[:, :1].copy())),
        ("backtest_overfitting", "probability_of_loss"),
        "a family of 1",
    ),
    ("no stress", lambda e: dataclasses.replace(e, stressed=None), ("cost_stress",), "could not be made"),
    ("no signal", lambda e: dataclasses.replace(e, late=None), ("one_bar_lag",), "none to delay"),
    ("no edge", lambda e: with_net(e, -e.net), ("one_bar_lag",), "there is no edge to keep"),
    (
        "nothing held",
        lambda e: dataclasses.replace(e, weights=np.zeros_like(e.weights)),
        ("block_permutation", "phase_permutation"),
        "nothing that was held ever moved",
    ),
]


@pytest.mark.parametrize(
    ("change", "names", "said"), [r[1:] for r in ONE_CANNOT_BE_MADE], ids=[r[0] for r in ONE_CANNOT_BE_MADE]
)
def test_one_cannot_be_made(change: object, names: tuple[str, ...], said: str) -> None:
    checks = found(change(evidence(mean=0.0005)))  # type: ignore[operator]
    lack = {n for n, c in checks.items() if c.verdict is LACKING}
    assert lack == set(names)
    assert all(said in checks[n].words for n in names)


def test_too_few_windows() -> None:
    checks = found(evidence(bars=300, mean=0.0005))
    assert checks["walk_forward_rolling"].verdict is LACKING
    assert "2 windows of 63 bars; at least 3" in checks["walk_forward_rolling"].words


def test_a_losing_account_has_no_length_of_record() -> None:
    losing = found(with_net(evidence(), -abs(evidence().net)))["track_record_bars"]
    assert losing.verdict is FAILED and losing.limit is None and "no length would do" in losing.words


def test_an_edge_of_one_bar_fails() -> None:
    e = evidence(mean=0.0005)
    leaking = dataclasses.replace(e, late=np.roll(e.net, 7) * np.where(np.arange(e.net.size) % 2, 1.0, -1.0))
    assert found(leaking)["one_bar_lag"].verdict is FAILED


def test_more_trials_deflate_more() -> None:
    e = evidence(mean=0.0001)
    figures = [found(dataclasses.replace(e, trials=n))["deflated_sharpe"].figure for n in (1, 10, 1000)]
    assert figures == sorted(figures, reverse=True) and figures[0] > figures[2]  # type: ignore[type-var,operator]


def test_equal_seeds_give_equal_bits_and_others_do_not() -> None:
    e = evidence(mean=0.0001)
    first, again, other = (run_checks(e, seed, DRAWS) for seed in (3, 3, 4))
    assert first.checks == again.checks and first.tables == again.tables
    assert first.checks != other.checks


def _report(*verdicts: Verdict) -> ValidationReport:
    words = {PASSED: 1.0, FAILED: 0.0}
    checks = [
        judge("capacity", 1.0, "")
        if v is SHOWN
        else lacking("deflated_sharpe", "")
        if v is LACKING
        else judge("deflated_sharpe", words[v], "")
        for v in verdicts
    ]
    return ValidationReport(
        run_id="r", run_digest="d", task_digest="t", data="x", data_digest="y", signal="s", seed=0, draws=1, quick=True,
        first="", last="", bars=1, bars_per_year=252.0, block_bars=1, net_sharpe=0.1, checks=tuple(checks),
        trials=Trials(count=1, with_sharpe=0, spread=None, in_family=0, left_out=0), tables=Tables(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "over_all"),
    [
        ((PASSED, SHOWN), PASSED),
        ((PASSED, FAILED, LACKING), FAILED),
        ((PASSED, LACKING), LACKING),
        ((SHOWN,), LACKING),
        ((), LACKING),
    ],
)
def test_verdict_over_all(verdicts: tuple[Verdict, ...], over_all: Verdict) -> None:
    assert _report(*verdicts).verdict is over_all


def test_a_figure_that_is_no_number_is_no_pass() -> None:
    assert judge("deflated_sharpe", float("nan"), "").verdict is LACKING
    assert judge("deflated_sharpe", float("nan"), "").figure is None
    with pytest.raises(KeyError):
        judge("no such", 1.0, "")
    with pytest.raises(KeyError, match="there are deflated_sharpe"):
        _report(PASSED).check("no such")


# ratios a bar of the trials, their number, the bar in units of luck's own deviation over 600 bars
LUCK = 1.0 / np.sqrt(599.0)
BARS = [
    ("no ratio known", (), 10, 1.57),
    ("alike", (0.10, 0.10, 0.10), 10, 1.57),
    ("good neighbours do not raise it", (0.10, 0.11, 0.12), 10, 1.57),
    ("scattered", (-0.2, 0.0, 0.2), 10, 0.2 / LUCK * 1.57),
    ("scattered below zero", (-0.4, -0.2, 0.0), 10, 0.2 / LUCK * 1.57 - 0.2 / LUCK),
    ("a single one", (0.1,), 1, 0.0),
]


@pytest.mark.parametrize(("ratios", "trials", "bar"), [r[1:] for r in BARS], ids=[r[0] for r in BARS])
def test_what_luck_shows(ratios: tuple[float, ...], trials: int, bar: float) -> None:
    e = dataclasses.replace(evidence(), trials=trials, trial_sharpes=ratios)
    assert luck_bar(e) / LUCK == pytest.approx(bar, rel=0.01)


def test_a_losing_run_is_not_carried_by_its_family() -> None:
    e = evidence(mean=0.0005)
    losing = found(with_net(e, -e.net))
    for name in ("walk_forward_expanding", "walk_forward_rolling", "purged_k_fold", "combinatorial_paths"):
        assert losing[name].verdict is FAILED, name
    assert losing["combinatorial_paths"].figure == 1.0
