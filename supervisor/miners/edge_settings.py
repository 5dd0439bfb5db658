"""Settings in force at the very edge of what may be searched: nobody has looked on the other side of the value."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.bounds import Bound
from supervisor.finding import Finding, Lever
from supervisor.mined import Mined, text

SLACK = 1e-3
"""Of the range: how near the bound a value must be to stand at it."""


@dataclass(frozen=True)
class EdgeSettings:
    """Searchable settings at a bound, of modules whose traces are there."""

    name: str = "edge_settings"
    turn: int = 2
    reads: frozenset[str] = frozenset({"run.started", "stage.finished"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module; `size` is the number of its settings that stand at a bound."""
        found = []
        for module, now in sorted(traces.modules.items()):
            levers = [
                lever for bound in now.bounds.values() if (lever := _inward(bound, now.settings.get(bound.setting)))
            ]
            runs = (
                traces.sql(f"SELECT run_id FROM in_force WHERE name = {text(module)} ORDER BY run_id")
                if levers
                else None
            )
            if runs is None or runs.is_empty():
                continue
            names = ", ".join(lever.setting for lever in levers)
            found.append(
                Finding(
                    miner=self.name,
                    module=module,
                    pattern=f"settings stand at a bound: {names}",
                    statement=(
                        f"A value inside the bounds of {names} in {module} does better: each stands where its range "
                        f"ends, which no comparison chose."
                    ),
                    size=float(len(levers)),
                    unit="settings at a bound",
                    occurrences=runs.height,
                    evidence=tuple(runs.get_column("run_id").to_list()),
                    levers=tuple(levers),
                )
            )
        return sorted(found, key=lambda f: (-f.size, f.module))


def _inward(bound: Bound, value: object) -> Lever | None:
    """The way from a bound into the range; None for a value that does not stand at one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    slack = SLACK * (bound.high - bound.low)
    if value <= bound.low + slack:
        return Lever(bound.setting, "raise")
    return Lever(bound.setting, "lower") if value >= bound.high - slack else None


MINER = EdgeSettings()
