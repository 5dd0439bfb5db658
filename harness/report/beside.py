"""What other commands found of the same run, and what a user gave: it stands beside the run's own figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cutoff import Trained
from harness.report.factorfile import GivenFactors
from harness.validation.capacity import CapacityFigure
from harness.validation.report import Capacity

if TYPE_CHECKING:
    from harness.vector.gap import Gap


@dataclass(frozen=True)
class Beside:
    """All optional. `curve` and `capacity` are of the run's validation, `gap` of `cws gap`; `trained` is the model
    that had part in the signal; `no_capacity` says why there is no figure, `notes` what was there and could not be
    read."""

    gap: Gap | None = None
    trained: Trained | None = None
    curve: tuple[Capacity, ...] = ()
    capacity: CapacityFigure | None = None
    no_capacity: str = ""
    factors: GivenFactors | None = None
    notes: tuple[str, ...] = ()
