"""Whether a candidate may be tested at all: it parses, reads no future, is there, tells symbols apart, and is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.drafters.port import Candidate
from modules.panel import Panel
from modules.signal import Node, SignalError, evaluate, parse, prove, similarity, warmup
from modules.signal.measure import coverage, tells_apart
from modules.signal.prove import LEVEL_RULE, level_difference

MINIMUM_COVERAGE = 0.5
NOVELTY_LIMIT = 0.95
PROOF_ROWS = 250
PROOF_CUTS = 6


@dataclass(frozen=True)
class Known:
    """A signal that exists: on the checked-out branch as a module, or on a research branch."""

    where: str
    expr: str
    node: Node


@dataclass(frozen=True)
class Checked:
    """The verdict on one candidate; `nearest` is the most similar known signal with its similarity in [0, 1]."""

    passed: bool
    reason: str
    nearest: tuple[str, float] | None = None


def known(where: str, expr: str) -> Known | None:
    """A known signal, or None where its text is none of our language (a hand-written module)."""
    try:
        return Known(where, expr, parse(expr))
    except SignalError:
        return None


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
    nearest = max(
        ((o.where, similarity(node, o.node)) for o in others), key=lambda pair: (pair[1], pair[0]), default=None
    )
    if nearest is not None and nearest[1] >= NOVELTY_LIMIT:
        return Checked(False, f"is not new: {nearest[0]} is {nearest[1]:.2f} similar (limit {NOVELTY_LIMIT})", nearest)
    return Checked(True, "parses, no look-ahead, covered, new", nearest)
