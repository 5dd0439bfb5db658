"""The checks, each from evidence to a figure beside its limit. Pure: equal evidence, seed and draws give equal bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from harness.validation import permutation as perm
from harness.validation import sharpe as sr
from harness.validation.evidence import Evidence
from harness.validation.limits import (
    INTERVAL,
    MINIMUM_BARS,
    MINIMUM_FAMILY,
    MINIMUM_FILLS,
    MINIMUM_WINDOW_BARS,
    MINIMUM_WINDOWS,
    judge,
    lacking,
)
from harness.validation.overfitting import overfitting
from harness.validation.regimes import periods, regimes
from harness.validation.report import Check, Outcome, Part, Tables, Variant, Verdict, Window
from harness.validation.resample import block_bars, outcomes, quantile
from harness.validation.selection import Followed, follow, path_returns, yearly
from harness.validation.splits import SplitError, combinatorial, purged_k_fold, walk_forward
from harness.validation.superiority import superiority
from modules.engine.metrics import deviation, mean, sharpe
from modules.panel import FloatArray, iso

WINDOWS = 5
FOLDS = (10, 8, 6)
TEST_FOLDS = 2
PROBABILITIES = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)


@dataclass(eq=False)
class Chain:
    """One validation in the making. `seed` parts into one stream a check, so that none depends on another's draws."""

    evidence: Evidence
    seed: int
    draws: int
    checks: list[Check] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    block: int = 0

    def stream(self, number: int) -> int:
        """The seed of the check with that number."""
        return self.seed * 64 + number

    def add(self, name: str, figure: float, words: str) -> None:
        """A check that could be made."""
        self.checks.append(judge(name, figure, words))

    def lack(self, name: str, words: str) -> None:
        """A check that could not."""
        self.checks.append(lacking(name, words))

    def show(self, **tables: object) -> None:
        """Tables behind the checks."""
        self.tables = self.tables.model_copy(update=tables)


def run_checks(evidence: Evidence, seed: int, draws: int) -> Chain:
    """Every check, in the order of the report. What cannot be judged is TOO_LITTLE_EVIDENCE, never an error."""
    chain = Chain(evidence, seed, draws)
    reason = too_little(evidence)
    if reason is not None:
        for names in _CHECKS.values():
            for name in names:
                chain.lack(name, reason)
        return chain
    chain.block = block_bars(evidence.net)
    for check in _CHECKS:
        check(chain)
    chain.show(family=_members(evidence))
    return chain


def too_little(evidence: Evidence) -> str | None:
    """Why nothing can be said of these returns at all; None where something can."""
    n = evidence.net.size
    if evidence.missing:
        return f"{evidence.missing} of {n} returns are not numbers"
    if evidence.fills < MINIMUM_FILLS:
        return f"{evidence.fills} fills; at least {MINIMUM_FILLS} are needed"
    if n < MINIMUM_BARS:
        return f"{n} bars; at least {MINIMUM_BARS} are needed"
    if not deviation(evidence.net) > 0.0:
        return f"all {n} returns are the same"
    return None


def _sureness(chain: Chain) -> None:
    e = chain.evidence
    found = sr.moments(e.net)
    assert found is not None, "too_little saw to it"
    shape = f"{found.bars} bars, skew {found.skew:.2f}, kurtosis {found.kurtosis:.1f}"
    chain.add("probabilistic_sharpe", sr.probabilistic_sharpe(found), f"that the true Sharpe is above 0: {shape}")
    bar = luck_bar(e)
    words = (
        f"the best of {e.trials} trials on this data shows {bar * math.sqrt(e.per_year):.2f} by luck"
        f" (spread {trial_spread(e) * math.sqrt(e.per_year):.2f}; {len(e.trial_sharpes)} have a Sharpe ratio)"
    )
    chain.add("deflated_sharpe", sr.probabilistic_sharpe(found, bar), words)
    needed = sr.minimum_track_record(found)
    endless = math.isinf(needed)
    words = "no length would do: the Sharpe is not above 0" if endless else "bars there are, and how many would do"
    check = judge("track_record_bars", float(found.bars), words)
    verdict = Verdict.PASSED if found.bars >= needed else Verdict.FAILED
    limit = None if endless else float(math.ceil(needed))
    chain.checks.append(check.model_copy(update={"limit": limit, "verdict": verdict}))


def trial_spread(evidence: Evidence) -> float:
    """Deviation of the trials' ratios, a bar: at least what luck alone gives over as many bars (Lo 2002), for trials
    that left no ratio cannot be taken to be alike."""
    ratios = np.array(evidence.trial_sharpes)
    return max(_luck(evidence), deviation(ratios) if ratios.size > 1 else 0.0)


def luck_bar(evidence: Evidence) -> float:
    """The best ratio, a bar, that as many worthless trials show: scattered as the trials are, around zero or around
    their mean where that is lower (trials that lose their costs scatter without being lucky), and at least by luck."""
    ratios = np.array(evidence.trial_sharpes)
    least = sr.expected_maximum(evidence.trials, _luck(evidence))
    if ratios.size < 2:
        return least
    return max(least, min(0.0, mean(ratios)) + sr.expected_maximum(evidence.trials, deviation(ratios)))


def _luck(evidence: Evidence) -> float:
    return 1.0 / math.sqrt(max(1, evidence.net.size - 1))


def _walk(chain: Chain) -> None:
    e = chain.evidence
    bars = e.net.size
    test = max(bars // (2 * WINDOWS), MINIMUM_WINDOW_BARS)
    train = bars // 2 - e.purge_bars
    for name, expanding in (("walk_forward_expanding", True), ("walk_forward_rolling", False)):
        try:
            splits = walk_forward(bars, train, test, e.purge_bars, expanding=expanding)
        except SplitError as error:
            chain.lack(name, str(error))
            continue
        if len(splits) < MINIMUM_WINDOWS:
            chain.lack(name, f"{len(splits)} windows of {test} bars; at least {MINIMUM_WINDOWS} are needed")
            continue
        found = follow(e.family.returns, splits)
        good = sum(min(yearly(f.returns, e.per_year), yearly(e.net[f.split.test], e.per_year)) > 0.0 for f in found)
        pooled = yearly(np.concatenate([f.returns for f in found]), e.per_year)
        of = f"of {len(splits)} windows of {test} bars"
        words = (
            f"{of} this run and the best of {len(e.family.kinds)} before them earned; the latter {pooled:.2f} over all"
        )
        chain.add(name, float(good), words)
        made = tuple(_window(e, f, expanding=expanding) for f in found)
        chain.show(windows=(*chain.tables.windows, *made))


def _window(e: Evidence, found: Followed, *, expanding: bool) -> Window:
    rows = found.split.test
    return Window(
        kind="expanding" if expanding else "rolling",
        first=iso(int(e.ts[rows[0]])),
        last=iso(int(e.ts[rows[-1]])),
        train_bars=int(found.split.train.size),
        test_bars=int(rows.size),
        own=sharpe(e.net[rows], e.per_year),
        chosen=sharpe(found.returns, e.per_year),
        chosen_before=found.before * math.sqrt(e.per_year),
        subject=e.family.subjects[found.chosen],
    )


def _folds(chain: Chain) -> None:
    e = chain.evidence
    said = ""
    for folds in FOLDS:
        try:
            splits = purged_k_fold(e.net.size, folds, e.purge_bars, e.embargo_bars)
            paths = combinatorial(e.net.size, folds, TEST_FOLDS, e.purge_bars, e.embargo_bars)
        except SplitError as error:
            said = str(error)
            continue
        found = follow(e.family.returns, splits)
        own = yearly(e.net, e.per_year)
        pooled = min(own, yearly(np.concatenate([f.returns for f in found]), e.per_year))
        worst = min(yearly(f.returns, e.per_year) for f in found)
        gap = f"{e.purge_bars} bars purged, {e.embargo_bars} embargoed"
        words = f"Sharpe of the chosen outside, or of this run if less; {folds} folds, worst {worst:.2f}; {gap}"
        chain.add("purged_k_fold", pooled, words)
        walked = sorted(yearly(r, e.per_year) for r in path_returns(e.family.returns, paths))
        lost = sum(min(x, own) <= 0.0 for x in walked) / len(walked)
        words = (
            f"{len(walked)} paths from {len(paths.splits)} splits, Sharpe {walked[0]:.2f} to {walked[-1]:.2f};"
            f" {TEST_FOLDS} of {folds} folds test"
        )
        chain.add("combinatorial_paths", lost, words)
        return
    chain.lack("purged_k_fold", said)
    chain.lack("combinatorial_paths", said)


def _permute(chain: Chain) -> None:
    e = chain.evidence
    blocks = perm.block_permutation(e.weights, e.ahead, float(chain.block), chain.draws, chain.stream(1))
    phases = perm.phase_permutation(e.weights, e.ahead, chain.draws, chain.stream(2))
    for name, found, what in (
        ("block_permutation", blocks, f"blocks of {chain.block} bars in another order"),
        ("phase_permutation", phases, "phases turned, the same for all symbols"),
    ):
        if found is None:
            chain.lack(name, "nothing that was held ever moved")
            continue
        gross = found.observed * math.sqrt(e.per_year)
        words = f"{found.reached} of {found.draws} surrogates reach the Sharpe of {gross:.2f} before costs; {what}"
        chain.add(name, found.p_value, words)


def _overfit(chain: Chain) -> None:
    e = chain.evidence
    found = overfitting(e.family.returns) if len(e.family.kinds) >= MINIMUM_FAMILY else None
    if found is None:
        words = f"a family of {len(e.family.kinds)} on {e.net.size} bars; it takes {MINIMUM_FAMILY} and four blocks"
        chain.lack("backtest_overfitting", words)
        chain.lack("probability_of_loss", words)
    else:
        loss = judge("probability_of_loss", found.loss, "")
        made = f"{found.splits} splits of {found.blocks} blocks of {found.block_bars} bars, {found.members} members"
        check = judge(
            "backtest_overfitting", found.probability, f"the best in sample is in the lower half outside; {made}"
        )
        if loss.verdict is Verdict.PASSED and check.verdict is Verdict.FAILED:
            plateau = "; passed as a plateau: members are alike, and the best in sample earns outside"
            check = check.model_copy(update={"verdict": loss.verdict, "words": check.words + plateau})
        chain.checks.append(check)
        chain.add("probability_of_loss", found.loss, f"the best in sample loses outside; {made}")
    better = superiority(e.family.returns, chain.block, chain.draws, chain.stream(3))
    if better is None:
        for name in ("superior_ability", "stepwise_superior"):
            chain.lack(name, "no member of the family ever moved")
        return
    chain.add("superior_ability", better.p_value, f"that none of {better.members} beats cash; {better.draws} draws")
    words = (
        f"{len(better.superior)} of {better.members} beat cash at {better.level:.0%} together; 1 = this run among them"
    )
    chain.add("stepwise_superior", float(0 in better.superior), words)


def _controls(chain: Chain) -> None:
    e = chain.evidence
    own = yearly(e.net, e.per_year)
    if e.stressed is None:
        chain.lack("cost_stress", "the run at three times cost could not be made")
    else:
        words = f"Sharpe at three times every cost; {own:.2f} at the run's own"
        chain.add("cost_stress", yearly(e.stressed, e.per_year), words)
    if e.late is None:
        chain.lack("one_bar_lag", "sizing reads no signal, so there is none to delay")
    elif not own > 0.0:
        chain.lack("one_bar_lag", f"there is no edge to keep: net Sharpe {own:.2f}")
    else:
        late = yearly(e.late, e.per_year)
        chain.add("one_bar_lag", late / own, f"of the Sharpe is left a bar later: {late:.2f} of {own:.2f}")


def _parts(chain: Chain) -> None:
    e = chain.evidence
    for name, table, found in (
        ("sub_periods", "periods", periods(e.ts, e.net, e.per_year)),
        ("regimes", "regimes", regimes(e.market, e.net, e.per_year)),
    ):
        chain.show(**{table: found})
        long = [p for p in found if p.bars >= MINIMUM_WINDOW_BARS // 3 * 2]
        if len(long) < MINIMUM_WINDOWS:
            chain.lack(
                name, f"{len(long)} {table} of {len(found)} are long enough; at least {MINIMUM_WINDOWS} are needed"
            )
            continue
        good = sum(_earns(p) for p in long)
        worst = min(long, key=lambda p: p.sharpe if p.sharpe is not None else 0.0)
        chain.add(
            name, good / len(long), f"{good} of {len(long)} earn; worst {worst.sharpe or 0.0:.2f} in {worst.name}"
        )


def _earns(found: Part) -> bool:
    return found.sharpe is not None and found.sharpe > 0.0


def _capacity(chain: Chain) -> None:
    e = chain.evidence
    chain.show(capacity=e.capacity)
    ten = [c for c in e.capacity if c.capital_usd >= 9.99 * e.capital_usd and c.net_sharpe is not None]
    if not ten:
        chain.add("capacity", math.nan, e.capacity_words or "no account of ten times the capital could be made")
        return
    chain.add("capacity", ten[0].net_sharpe or 0.0, f"net Sharpe at {ten[0].capital_usd:,.0f} USD; {e.capacity_words}")


def _resampled(chain: Chain) -> None:
    e = chain.evidence
    rng = np.random.Generator(np.random.PCG64(chain.stream(4)))
    found = outcomes(e.net, float(chain.block), chain.draws, rng)
    ratio, wealth, drawdown = (np.sort(found[:, k]) for k in range(3))
    annual = math.sqrt(e.per_year)
    rows = tuple(
        Outcome(
            probability=p,
            sharpe=quantile(ratio, p) * annual,
            wealth=quantile(wealth, p),
            max_drawdown=quantile(drawdown, p),
        )
        for p in PROBABILITIES
    )
    chain.show(outcomes=rows)
    made = f"{chain.draws} histories from blocks of {chain.block} bars"
    low, high = interval(ratio)
    chain.add("drawdown_95", quantile(drawdown, 0.95), f"exceeded in 5 of 100; {made}")
    lost = float(np.count_nonzero(wealth <= 1.0)) / chain.draws
    words = f"end below their beginning; Sharpe {low * annual:.2f} to {high * annual:.2f} in {INTERVAL:.0%} of {made}"
    chain.add("loss_probability", lost, words)


def interval(sorted_ratios: FloatArray) -> tuple[float, float]:
    """The middle INTERVAL of the draws."""
    tail = 0.5 * (1.0 - INTERVAL)
    return quantile(sorted_ratios, tail), quantile(sorted_ratios, 1.0 - tail)


def _members(e: Evidence) -> tuple[Variant, ...]:
    columns = zip(e.family.kinds, e.family.subjects, e.family.returns.T, strict=True)
    return tuple(
        Variant(kind=kind, subject=subject, sharpe=sharpe(np.ascontiguousarray(returns), e.per_year))
        for kind, subject, returns in columns
    )


_CHECKS: dict[Callable[[Chain], None], tuple[str, ...]] = {
    _sureness: ("probabilistic_sharpe", "deflated_sharpe", "track_record_bars"),
    _walk: ("walk_forward_expanding", "walk_forward_rolling"),
    _folds: ("purged_k_fold", "combinatorial_paths"),
    _permute: ("block_permutation", "phase_permutation"),
    _overfit: ("backtest_overfitting", "probability_of_loss", "superior_ability", "stepwise_superior"),
    _controls: ("cost_stress", "one_bar_lag"),
    _parts: ("sub_periods", "regimes"),
    _capacity: ("capacity",),
    _resampled: ("drawdown_95", "loss_probability"),
}
"""Each check function with the names it answers, in the order of the report."""
