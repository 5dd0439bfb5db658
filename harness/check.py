"""Whether a candidate may be tested at all: it parses, reads no future, is there, tells symbols apart, and is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.drafters.port import Candidate
from harness.novelty.judge import Novelty, novelty
from harness.novelty.known import Known
from harness.novelty.originality import LIMIT
from modules.panel import Panel
from modules.signal import Node, SignalError, evaluate, parse, prove, warmup
from modules.signal.measure import coverage, tells_apart
from modules.signal.prove import LEVEL_RULE, level_difference

MINIMUM_COVERAGE = 0.5
REPEATED = 0.95
"""A draft whose tree is so like that of a branch is the branch's signal again."""
PROOF_ROWS = 250
PROOF_CUTS = 6


@dataclass(frozen=True)
class Checked:
    """The verdict on one candidate. `nearest` is the known signal that leaves it least original. `replicates`: nothing
    else speaks against it than that its idea is known outside this house, or was drafted on a branch."""

    passed: bool
    reason: str
    nearest: Novelty | None = None
    replicates: bool = False


def check(candidate: Candidate, panel: Panel, others: Sequence[Known], *, seed: int) -> Checked:
    """The first rule that the candidate breaks, or a pass. `panel` holds discovery data only.

    Look-ahead is proven absent on the last rows: batch equals stream and equals truncated data, bit for bit.
    """
    try:
        node = parse(candidate.expr)
        long_enough = warmup(node) + 2 * PROOF_CUTS < panel.shape[0]
        values = evaluate(node, panel)
    except SignalError as error:
        return Checked(False, f"cannot be computed: {error}")
    if not long_enough:
        return Checked(
            False, f"needs {warmup(node)} bars before its first value; the discovery data have {panel.shape[0]}"
        )
    share = coverage(values, panel["close"], warmup(node))
    if share < MINIMUM_COVERAGE:
        return Checked(
            False,
            f"has a value in {share:.0%} of the cells after its warm-up; at least {MINIMUM_COVERAGE:.0%} are needed",
        )
    if not np.any(tells_apart(values) == 1.0):
        return Checked(False, "is the same for all symbols on every bar, so it cannot rank them")
    rows = min(panel.shape[0], warmup(node) + PROOF_ROWS)
    proof = prove(node, panel.rows(panel.shape[0] - rows, panel.shape[0]), seed=seed, samples=PROOF_CUTS)
    if not proof.holds:
        first = proof.first_difference
        where = f"; first at {first.ts} {first.symbol}" if first else ""
        return Checked(False, f"reads the future or differs in the stream{where}")
    if level_difference(node, panel) is not None:
        return Checked(False, LEVEL_RULE)
    return _novelty(node, others)


def _novelty(node: Node, others: Sequence[Known]) -> Checked:
    """New, or a repetition, or the idea of a merged module, or one known elsewhere: then it may be tested as such."""
    nearest = novelty(node, others)
    if nearest is None or nearest.is_new:
        return Checked(True, f"parses, no look-ahead, covered, new{f': {nearest.words}' if nearest else ''}", nearest)
    merged = novelty(node, [o for o in others if o.origin == "module"])
    if merged is not None and not merged.is_new:
        return Checked(False, _not_new(merged), merged)
    drafted = novelty(node, [o for o in others if o.origin == "branch"])
    if drafted is not None and drafted.likeness.structural >= REPEATED:
        return Checked(False, _not_new(drafted), drafted)
    return Checked(False, _not_new(nearest), nearest, replicates=True)


def _not_new(nearest: Novelty) -> str:
    return f"is not new: {nearest.words}; at least {LIMIT} is asked"


def as_replication(
    verdicts: Sequence[tuple[Candidate, Checked]],
) -> tuple[list[tuple[Candidate, Checked]], Novelty | None]:
    """Where nothing new is left, the candidates known elsewhere pass, as a replication of what is returned with them:
    the known signal nearest to any of them. Otherwise the verdicts stand."""
    known_elsewhere = [v.nearest for _, v in verdicts if v.replicates and v.nearest is not None]
    if any(v.passed for _, v in verdicts) or not known_elsewhere:
        return list(verdicts), None
    settled = [
        (c, replace(v, passed=True, reason=f"a replication: {v.reason}") if v.replicates else v) for c, v in verdicts
    ]
    return settled, min(known_elsewhere, key=lambda n: n.originality)
