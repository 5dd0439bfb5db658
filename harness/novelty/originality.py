"""Originality: how probable it is that two signals as like as these are two ideas, read off pairs of known answer.

The pairs are those that set the thresholds of likeness (`modules/feature/calibrate.py`): features beside the same idea
in other clothes, and features of two families. With both kinds weighed equally, the share of different ones among
pairs of a similarity is a falling curve (isotonic regression); originality is its value. Below `LIMIT` an idea counts
as known. Both errors at the limit are kept beside the curve: `missed`, known ideas that pass for new; `refused`, pairs
of two families that pass for one idea (overstated, since families share ideas).
"""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from modules.signal.likeness import Likeness

FILE = Path(__file__).with_name("originality.json")
LIMIT = 0.7


class Curve(BaseModel):
    """`points` (similarity, originality), similarity rising from 0 to 1 and originality falling; straight between."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    points: tuple[tuple[float, float], ...] = Field(min_length=2)
    missed: float
    refused: float

    def at(self, similarity: float) -> float:
        """Originality at a similarity in [0, 1]."""
        for (x0, y0), (x1, y1) in itertools.pairwise(self.points):
            if similarity < x1:
                return y0 + (y1 - y0) * (similarity - x0) / (x1 - x0)
        return self.points[-1][1]


class Originality(BaseModel):
    """Made by `python -m harness.novelty.calibrate` from the library whose digest it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    library: str
    structural: Curve
    behavioural: Curve


@functools.cache
def curves() -> Originality:
    """The curves in force."""
    return Originality.model_validate(json.loads(FILE.read_text()))


def originality(likeness: Likeness) -> float:
    """In [0, 1]: by behaviour where it can be judged, else by the trees; 0 for one canonical form."""
    if likeness.structural == 1.0:
        return 0.0
    if likeness.behavioural is not None:
        return curves().behavioural.at(likeness.behavioural)
    return curves().structural.at(likeness.structural)
