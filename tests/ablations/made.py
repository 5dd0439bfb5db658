"""Synthetic arms and records for tests: eight tasks of fat-tailed, dependent returns, with a known difference."""

from __future__ import annotations

import numpy as np

from ablations.floor import Series
from ablations.gate import decide
from ablations.guards import GuardRule
from ablations.patch import Change, Patch
from ablations.record import (
    AblationRecord,
    CertificateReference,
    Runtime,
    SuiteReference,
    TaskRecord,
    identity,
    read_guards,
    seed_of,
    weigh,
)
from ablations.series import round_series
from modules.panel import FloatArray, IntArray

BARS, TASKS = 1_500, 8
TS: IntArray = 1_151_280_000_000_000_000 + 86_400_000_000_000 * np.arange(BARS, dtype=np.int64)
RULES = (
    GuardRule(metric="max_drawdown", better="lower", tolerance=0.05),
    GuardRule(metric="net_sharpe", better="higher", tolerance=0.25, over="worst"),
)


CERTIFIED = {
    "certificate_id": "e" * 16,
    "patches": 260,
    "false_ships": 0,
    "upper_bound": 0.0115,
    "minimum_detectable": 0.3,
}


def returns(seed: int, tasks: int = TASKS, bars: int = BARS) -> FloatArray:
    """`[K, T]` daily returns: Student t with 4 degrees of freedom, half common to all tasks."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, size=(1, bars))
    return np.asarray(0.003 * (common + rng.standard_t(4, size=(tasks, bars))))


def arms(seed: int, lift: float, tasks: int = TASKS, bars: int = BARS, own: float = 0.3) -> Series:
    """Baseline and a patched arm that is `lift` Sharpe a year better, with own noise of share `own`."""
    x = returns(seed, tasks, bars)
    y = x + own * returns(seed + 10_000, tasks, bars)
    return Series(x, y + lift / np.sqrt(252.0) * y.std(axis=1, keepdims=True), 252.0)


def record(lift: float = 1.5, *, seed: int = 3, level: float = 1e-3, certificate: str = "CURRENT") -> AblationRecord:
    """A record whose verdict was reached in the regular way."""
    made = arms(seed, lift)
    pairs = [(made.baseline[k], made.patched[k]) for k in range(TASKS)]
    rounded = round_series(TS, pairs, 252.0)
    patch = Patch(module="size/rank_neutral", changes={"no_trade_band": Change(old=0.0, new=0.02)})
    suite = SuiteReference(
        name="made",
        digest="a" * 64,
        data="us20",
        data_digest="b" * 64,
        part="judging",
        start="2006-06-26",
        end="2016-05-23",
    )
    tasks = tuple(
        TaskRecord(
            name=f"task_{k}",
            family="made",
            signal=f"rank(-returns(close, {k + 1}))",
            task_digest=f"{k:064x}",
            baseline={"size": "0" * 64},
            patched={"size": "1" * 64},
            baseline_metrics={"max_drawdown": 0.2, "net_sharpe": 0.1},
            patched_metrics={"max_drawdown": 0.19, "net_sharpe": 0.1 + lift},
            not_reproduced="",
            not_contained="",
            not_accepted="",
            diverges="size/rank_neutral (settings)",
        )
        for k in range(TASKS)
    )
    modules = {"size": "rank_neutral@" + "c" * 64}
    ablation_id = identity(patch, suite, modules, "d" * 64, [t.task_digest for t in tasks])
    guards = read_guards(RULES, tasks)
    reference = CertificateReference.model_validate(
        {"state": certificate, **(CERTIFIED if certificate == "CURRENT" else {})}
    )
    evidence = weigh(tasks, rounded.series, guards, level, seed_of(ablation_id), reference.state)
    return AblationRecord(
        ablation_id=ablation_id,
        patch=patch,
        suite=suite,
        modules=modules,
        settings_digest="d" * 64,
        guards_asked=RULES,
        tasks=tasks,
        series=rounded.packed,
        guards=guards,
        floor=evidence.floor,
        place=1,
        level=level,
        certificate=reference,
        verdict=decide(evidence),
        environment={},
        runtime=Runtime(seconds=1.0, guards=(), runs=()),
    )
