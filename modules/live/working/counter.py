"""What the market traded since an order's begin, of the desk's counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modules.live.desk.asking import Stand


@dataclass
class Counter:
    """What the market traded since an order's begin, in lots, by the desk's count of units. `born_ns`: the desk whose
    count `units` was; of a desk that began later all counts, and what was traded while there was none does not.
    """

    symbol: str
    lot_size: float
    born_ns: int
    units: float
    left: float = 0.0
    kept: Callable[[Counter, int], None] = lambda _self, _lots: None
    """Told after each count, with the lots that came."""

    def more(self, stand: Stand) -> int:
        """Whole lots since the last call."""
        units = stand.traded.get(self.symbol, 0.0)
        before = self.units if stand.born_ns == self.born_ns else 0.0
        if units == before and stand.born_ns == self.born_ns:
            return 0
        self.left += max(0.0, units - before) / self.lot_size
        self.born_ns, self.units = stand.born_ns, units
        lots = int(self.left + 1e-9)
        self.left = max(0.0, self.left - lots)
        self.kept(self, lots)
        return lots
