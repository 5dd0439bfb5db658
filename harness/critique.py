"""What to make of the candidates on discovery data: rules, so that equal evidence gets equal words.

A critique never asks for another try because the evidence speaks against the claim: trying until something fits is
what it is there to prevent. A further round is for a claim that could not be tested yet, or, where the researcher
allowed more rounds, for one whose evidence is weak; each of its candidates is a trial like the first ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.drafters.port import Candidate
from harness.specification import Specification
from harness.state import Critique, Remark, RemarkKind, Screen

WEAK_T = 2.0
ALIKE = 0.9


def criticise(
    spec: Specification,
    passed: Sequence[Candidate],
    screens: Sequence[Screen],
    *,
    round_: int,
    rounds: int,
    offered: int,
    cost_of_turnover: float,
    bars_per_year: float,
) -> Critique:
    """The decision after a round, with everything worth saying about it.

    `offered`: candidates that were new in this round; `cost_of_turnover`: what trading 1 of gross costs, as a fraction.
    """
    if not passed:
        words = "no candidate could be tested" if offered else "the drafter has no further candidate"
        kind = RemarkKind.NOTHING_PASSED if offered else RemarkKind.NOTHING_NEW
        again = bool(offered) and round_ <= rounds
        return Critique(decision="revise" if again else "stop", remarks=(Remark(kind=kind, words=words),), round=round_)
    order = {c.expr: i for i, c in enumerate(passed)}
    best = max(screens, key=lambda s: (s.score, -order[s.expr]))
    remarks = [*_evidence(best), *_falsified(spec, best), *_size(spec, best)]
    remarks += _dear(best, cost_of_turnover, bars_per_year)
    remarks += _alike(passed)
    weak = any(r.kind is RemarkKind.WEAK for r in remarks)
    again = weak and round_ < rounds and offered > 0
    return Critique(decision="revise" if again else "submit", remarks=tuple(remarks), best=best.expr, round=round_)


def _evidence(best: Screen) -> list[Remark]:
    if best.t is None:
        words = "the discovery data are too short for a t statistic: the first candidate was taken"
        return [Remark(kind=RemarkKind.TOO_SHORT, words=words, expr=best.expr)]
    if best.t <= 0:
        words = f"the discovery data speak against the hypothesis: the best rank correlation has t = {best.t:.2f}"
        return [Remark(kind=RemarkKind.SPEAKS_AGAINST, words=words, expr=best.expr)]
    if best.t < WEAK_T:
        words = f"the evidence is weak: the best rank correlation has t = {best.t:.2f}, below {WEAK_T:g}"
        return [Remark(kind=RemarkKind.WEAK, words=words, expr=best.expr)]
    return []


def _falsified(spec: Specification, best: Screen) -> list[Remark]:
    figures: Mapping[str, float | None] = {"rank_correlation": best.ic, "t": best.t}
    return [falsified(f.figure, value, f.at_most, best.expr) for f in spec.falsified_by
            if (value := figures.get(f.figure)) is not None and value <= f.at_most]  # fmt: skip


def falsified(figure: str, value: float, at_most: float, expr: str) -> Remark:
    """The remark that a falsifier of the specification is met."""
    words = f"falsified as specified: {figure.replace('_', ' ')} is {value:.4g}, at most {at_most:g} ends the claim"
    return Remark(kind=RemarkKind.FALSIFIED, words=words, expr=expr)


def _size(spec: Specification, best: Screen) -> list[Remark]:
    wanted = spec.expected.rank_correlation
    if best.ic is None or not 0 < best.ic < wanted:
        return []
    words = f"smaller than specified: the rank correlation is {best.ic:.4f}, {wanted:g} was expected"
    return [Remark(kind=RemarkKind.SMALL, words=words, expr=best.expr)]


def _dear(best: Screen, cost_of_turnover: float, bars_per_year: float) -> list[Remark]:
    if best.turnover is None or best.long_short_year is None or best.long_short_year <= 0:
        return []
    cost = best.turnover * bars_per_year * cost_of_turnover
    if cost <= best.long_short_year:
        return []
    words = f"too dear: trading it would cost about {cost:.1%} a year, and it earns {best.long_short_year:.1%} before"
    return [Remark(kind=RemarkKind.DEAR, words=words, expr=best.expr)]


def _alike(passed: Sequence[Candidate]) -> list[Remark]:
    """Candidates that are nearly one and the same are one trial more for little."""
    from modules.signal import parse, similarity

    nodes = [(c.expr, parse(c.expr)) for c in passed[:12]]
    pairs = [(a, b) for i, (a, x) in enumerate(nodes) for b, y in nodes[i + 1 :] if similarity(x, y) >= ALIKE]
    if not pairs:
        return []
    words = f"{len(pairs)} pairs of candidates are nearly alike, as {pairs[0][0]} and {pairs[0][1]}"
    return [Remark(kind=RemarkKind.ALIKE, words=words)]
