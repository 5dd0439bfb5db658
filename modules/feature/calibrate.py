"""Where "alike" begins, read off the feature library: `python -m modules.feature.calibrate` writes the thresholds.

Pairs that are one idea: each feature beside itself mirrored, ranked, smoothed over two bars, and with every window a
tenth longer. Pairs that are not: features of two different families, drawn at random. A threshold stands where as many
of the first are missed as of the second are taken for one idea (the equal error rate). Families do share ideas, such as
the distance from a moving average, so the false alarms are overstated rather than hidden.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from modules.canonical import digest_mapping
from modules.feature.library import families, latest, library
from modules.signal import Call, Node, signal_digest
from modules.signal.behaviour import alike, behaviours
from modules.signal.likeness import THRESHOLDS, Threshold, Thresholds
from modules.signal.operators import Slot, find
from modules.signal.similarity import in_common, structure

DIFFERENT_PAIRS = 20_000
SEED = 0
_PLACES = 4


def relatives(node: Node) -> tuple[Node, ...]:
    """The same idea in other clothes."""
    nudged = _longer(node)
    clothed = (Call("neg", (node,)), Call("rank", (node,)), Call("ts_mean", (node,), (2,)))
    return clothed if nudged == node else (*clothed, nudged)


def _longer(node: Node) -> Node:
    """The tree with every look-back a tenth longer, by one bar at least."""
    if not isinstance(node, Call):
        return node
    row = find(node.operator)
    slots = row.parameters if row is not None else ()
    numbers = tuple(
        min(value + math.ceil(value / 10), slot.high) if slot.slot is Slot.WINDOW else value
        for value, slot in zip(node.numbers, slots, strict=True)
    )
    return Call(node.operator, tuple(_longer(i) for i in node.inputs), numbers)


def library_digest() -> str:
    """Digest of every feature that the thresholds rest on."""
    return digest_mapping({row.reference: signal_digest(row.node) for row in library()})


@dataclass(frozen=True)
class Pairs:
    """Similarities of pairs that are one idea, and of pairs that are two."""

    same: Sequence[float]
    different: Sequence[float]


def calibrate() -> Thresholds:
    """Both thresholds, on the library as it stands."""
    trees, ranks = structural_pairs(), behavioural_pairs()
    return Thresholds(
        library=library_digest(),
        structural=equal_error(trees.same, trees.different),
        behavioural=equal_error(ranks.same, ranks.different),
    )


def _pairs() -> list[tuple[Node, Node]]:
    """Features of two different families, drawn with a fixed seed."""
    rows = [[r.node for r in latest(family)] for family in families().values()]
    everything = [pair for a, b in itertools.combinations(rows, 2) for pair in itertools.product(a, b)]
    return random.Random(SEED).sample(everything, min(DIFFERENT_PAIRS, len(everything)))


def structural_pairs() -> Pairs:
    """By the trees."""
    nodes = [row.node for row in library()]
    known = {node: structure(node) for node in nodes}
    same = [in_common(known[n], structure(r)) for n in nodes for r in relatives(n)]
    return Pairs(same, [in_common(known[a], known[b]) for a, b in _pairs()])


def behavioural_pairs() -> Pairs:
    """By how they order the reference market, where it can judge both."""
    nodes = [row.node for row in library()]
    known = dict(zip(nodes, behaviours(nodes), strict=True))
    same = []
    for node in nodes:
        own = known[node]
        if own is None:
            continue
        found = (alike(own, other) for other in behaviours(relatives(node)) if other is not None)
        same += [value for value in found if value is not None]
    different = []
    for a, b in _pairs():
        first, second = known[a], known[b]
        value = alike(first, second) if first is not None and second is not None else None
        if value is not None:
            different.append(value)
    return Pairs(same, different)


def equal_error(same: Sequence[float], different: Sequence[float]) -> Threshold:
    """The threshold at which the shares of errors of both kinds are nearest to each other, to four places."""
    low, high = sorted(same), sorted(different)

    def errors(threshold: float) -> tuple[float, float]:
        missed = bisect.bisect_left(low, threshold) / len(low)
        return missed, 1.0 - bisect.bisect_left(high, threshold) / len(high)

    steps = [i / 10**_PLACES for i in range(10**_PLACES + 1)]
    best = min(steps, key=lambda t: abs(errors(t)[0] - errors(t)[1]))
    missed, false_alarms = errors(best)
    return Threshold(
        threshold=best,
        missed=round(missed, _PLACES),
        false_alarms=round(false_alarms, _PLACES),
        same=len(low),
        different=len(high),
    )


if __name__ == "__main__":
    THRESHOLDS.write_text(calibrate().model_dump_json(indent=1) + "\n")
    sys.stdout.write(THRESHOLDS.read_text())
