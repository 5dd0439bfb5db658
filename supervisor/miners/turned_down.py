"""What humans turned down, and why: the reason is a finding of the module, for whoever proposes next.

`supervisor.heeding` keeps levers that were turned down from being pulled again on the same base.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.heeding import REJECTED
from supervisor.mined import Mined


@dataclass(frozen=True)
class TurnedDown:
    """Reviews that a human rejected, by module."""

    name: str = "turned_down"
    turn: int = 3
    reads: frozenset[str] = frozenset({"review.opened", "review.rejected", "review.approved", "ablation.started"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module; `size` is the number of its patches that humans turned down."""
        by_module: dict[str, list[dict[str, str]]] = {}
        for row in traces.sql(REJECTED).iter_rows(named=True):
            by_module.setdefault(row["module"], []).append(row)
        found = [self._finding(module, rows) for module, rows in by_module.items()]
        return sorted(found, key=lambda f: (-f.size, f.module))

    def _finding(self, module: str, rows: list[dict[str, str]]) -> Finding:
        reasons = "; ".join(f"{row['who']}: {row['reason'][:200]}" for row in rows[-3:])
        return Finding(
            miner=self.name,
            module=module,
            pattern="humans turn its patches down",
            statement=(
                f"A patch of {module} that heeds this is merged: {len(rows)} were turned down, at last for: {reasons}"
            ),
            size=float(len(rows)),
            unit="patches turned down",
            occurrences=len(rows),
            evidence=tuple(row["ablation_id"] for row in rows),
        )


MINER = TurnedDown()
