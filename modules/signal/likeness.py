"""When two signals count as one idea: both similarities, with thresholds that the feature library itself has set."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from modules.signal.behaviour import behavioural_similarity
from modules.signal.nodes import Node
from modules.signal.similarity import similarity

THRESHOLDS = Path(__file__).with_name("thresholds.json")


class Threshold(BaseModel):
    """Alike from `threshold` on. `missed` of the `same` pairs (one idea in other clothes) lie below it, and
    `false_alarms` of the `different` pairs (features of two families) at or above it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    threshold: float
    missed: float
    false_alarms: float
    same: int
    different: int


class Thresholds(BaseModel):
    """Made by `python -m modules.feature.calibrate` from the library whose digest it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    library: str
    structural: Threshold
    behavioural: Threshold


@functools.cache
def thresholds() -> Thresholds:
    """The thresholds in force."""
    return Thresholds.model_validate(json.loads(THRESHOLDS.read_text()))


@dataclass(frozen=True)
class Likeness:
    """How alike two signals are. `behavioural` is None where the reference market cannot judge one of them."""

    structural: float
    behavioural: float | None

    @property
    def same_idea(self) -> bool:
        """What a signal does outweighs how it is written: a tree cannot tell a window of 5 from one of 50. The tree
        speaks where behaviour cannot be judged."""
        limits = thresholds()
        if self.behavioural is not None:
            return self.behavioural >= limits.behavioural.threshold
        return self.structural >= limits.structural.threshold

    @property
    def score(self) -> float:
        """In [0, 1]: the similarity that decides."""
        return self.structural if self.behavioural is None else self.behavioural


def likeness(a: Node, b: Node) -> Likeness:
    """Both similarities of two signals."""
    return Likeness(similarity(a, b), behavioural_similarity(a, b))


def nearest(node: Node, others: Iterable[tuple[str, Node]]) -> tuple[str, Likeness] | None:
    """The name and likeness of the signal most like `node`; None where there is none."""
    found = [(name, likeness(node, other)) for name, other in others]
    return max(found, key=lambda pair: (pair[1].score, pair[1].structural, pair[0]), default=None)
