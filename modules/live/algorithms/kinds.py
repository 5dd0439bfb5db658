"""The algorithms: what each wants done by when."""

from __future__ import annotations

from modules.live.algorithms import routing
from modules.live.algorithms.algorithm import Algorithm, Placing
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.schedule import Slices


class Scheduled(Algorithm):
    """Lots by the end of each slice, known beforehand: TWAP, VWAP and implementation shortfall."""

    def __init__(self, name: str, parent: Parent, slices: Slices, placing: Placing, targets: tuple[int, ...]) -> None:
        if len(targets) != slices.count or targets[-1] != parent.total or list(targets) != sorted(targets):
            raise AlgorithmError(
                f"{len(targets)} targets up to {max(targets, default=0)} for {slices.count} slices and {parent.total} "
                "lots: one a slice, never falling, the last the whole order"
            )
        super().__init__(parent, slices, placing)
        self.name, self.targets = name, targets

    def wanted(self) -> int:
        """The target of this slice."""
        here = self.slices.at(self.now_ns)
        return 0 if here < 0 else self.targets[min(here, len(self.targets) - 1)]

    def late(self) -> int:
        """The target of the slice before."""
        here = self.slices.at(self.now_ns)
        return 0 if here <= 0 else self.targets[min(here, len(self.targets)) - 1]


class Participation(Algorithm):
    """A share of what the market trades (POV). `counts_own`: our fills are part of the volume that is heard of.

    Where they are not (a replay of recorded trades), the share of the whole is kept by taking rate / (1 - rate) of the
    others' volume.
    """

    name = "pov"

    def __init__(
        self, parent: Parent, slices: Slices, placing: Placing, rate_ppm: int, *, counts_own: bool = True
    ) -> None:
        if not 0 < rate_ppm < routing.PPM:
            raise AlgorithmError(f"rate {rate_ppm / routing.PPM:g}; a share of the volume is above 0 and below 1")
        super().__init__(parent, slices, placing)
        self.rate_ppm, self.counts_own = rate_ppm, counts_own
        self._slice, self._before, self._last = -1, 0, 0

    def wanted(self) -> int:
        """The share of the volume so far, rounded down."""
        base = routing.PPM if self.counts_own else routing.PPM - self.rate_ppm
        want = min(self.parent.total, self.volume * self.rate_ppm // base)
        here = self.slices.at(self.now_ns)
        if here != self._slice:
            self._slice, self._before = here, self._last
        self._last = want
        return want

    def late(self) -> int:
        """What was wanted when this slice began."""
        return self._before


class Iceberg(Algorithm):
    """A limit order of which only `display_lots` are shown; the next are sent when those have filled."""

    name = "iceberg"

    def __init__(self, parent: Parent, slices: Slices, placing: Placing, display_lots: int) -> None:
        if parent.limit_micros is None:
            raise AlgorithmError(
                f"parent {parent.parent_id} has no limit_micros; an iceberg rests at its limit: give one"
            )
        if placing.style != "make" or display_lots < 1:
            raise AlgorithmError(
                f"style {placing.style}, display_lots {display_lots}: an iceberg rests (make) and shows at least 1 lot"
            )
        super().__init__(parent, slices, placing)
        self.display_lots = display_lots

    def wanted(self) -> int:
        """What filled, and what is or will be shown."""
        children = self.children
        return min(self.parent.total, children.filled + (children.open_lots or self.display_lots))

    def late(self) -> int:
        """Nothing: it waits for others to come to its price."""
        return 0

    def _place_to_rest(self) -> routing.Leg | None:
        """At the limit, where others stand best, or at the venue named first."""
        limit = self.parent.limit_micros
        assert limit is not None
        leg = super()._place_to_rest()
        return routing.Leg(self.parent.venues[0] if leg is None else leg.venue, 0, limit)

    def _is_overdue(self, client_id: str, here: int) -> bool:
        """It keeps its place in the queue, until the rest is to be crossed."""
        return self.crosses_the_rest and super()._is_overdue(client_id, here)
