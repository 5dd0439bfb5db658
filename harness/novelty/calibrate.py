"""Reads originality off pairs of known answer, and sketches what is published: `python -m harness.novelty.calibrate`.

To be run again when the feature library, the literature's constructions or the operators change; a test says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from harness.novelty import originality, sketch
from harness.novelty.known import published
from harness.novelty.originality import LIMIT, Curve, Originality
from modules.feature.calibrate import Pairs, behavioural_pairs, library_digest, structural_pairs
from modules.panel import FloatArray
from modules.signal.behaviour import behaviours

BINS = 20
_PLACES = 4


def curve(pairs: Pairs) -> Curve:
    """The falling curve of these pairs, both kinds weighed equally, with its errors at the limit."""
    same, different = _shares(pairs.same), _shares(pairs.different)
    weight = same + different
    share = np.divide(different, weight, out=np.full(BINS, np.nan), where=weight > 0)
    level = _falling(share, weight)
    middles = (np.arange(BINS) + 0.5) / BINS
    points = [(0.0, 1.0), *zip(middles.tolist(), level, strict=True), (1.0, 0.0)]
    made = Curve(points=tuple((x, round(y, _PLACES)) for x, y in points), missed=0.0, refused=0.0)
    missed = sum(made.at(s) >= LIMIT for s in pairs.same) / len(pairs.same)
    refused = sum(made.at(s) < LIMIT for s in pairs.different) / len(pairs.different)
    return made.model_copy(update={"missed": round(missed, _PLACES), "refused": round(refused, _PLACES)})


def _shares(values: Sequence[float]) -> FloatArray:
    counts, _ = np.histogram(values, bins=BINS, range=(0.0, 1.0))
    return counts / len(values)


def _falling(share: FloatArray, weight: FloatArray) -> list[float]:
    """Pooled neighbours (Ayer and others 1955): the nearest falling steps; an empty bin goes with the next."""
    blocks: list[list[float]] = []  # value, weight, bins
    empty = 0
    for value, w in zip(share.tolist(), weight.tolist(), strict=True):
        if np.isnan(value):
            empty += 1
            continue
        blocks.append([value, w, 1 + empty])
        empty = 0
        while len(blocks) > 1 and blocks[-1][0] > blocks[-2][0]:
            late, early = blocks.pop(), blocks.pop()
            total = late[1] + early[1]
            blocks.append([(late[0] * late[1] + early[0] * early[1]) / total, total, late[2] + early[2]])
    return [*(value for value, _, bins in blocks for _ in range(int(bins))), *[0.0] * empty]


def calibrate() -> Originality:
    """Both curves, on the library as it stands."""
    return Originality(
        library=library_digest(), structural=curve(structural_pairs()), behavioural=curve(behavioural_pairs())
    )


def sketches() -> dict[str, sketch.Sketch]:
    """A sketch of every published signal that the reference market can judge, by digest."""
    signals = {known.digest: known.node for known in published()}
    judged = zip(signals, behaviours(list(signals.values())), strict=True)
    return {digest: sketch.sketch(found) for digest, found in judged if found is not None}


if __name__ == "__main__":
    sketch.FILE.write_text(sketch.written(sketches()))
    originality.FILE.write_text(calibrate().model_dump_json(indent=1) + "\n")
    sys.stdout.write(originality.FILE.read_text())
