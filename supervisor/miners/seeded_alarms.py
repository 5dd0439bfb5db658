"""False alarms of cleaning, against planted faults: a rule that fires where nothing was planted far more than where it
was."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._seeded import KINDS, LOOSER, NEWEST, RULES_OF

_QUERY = """
WITH trials AS ({newest}),
rules AS (SELECT module, trial_id, cells, found, unnest(map_entries(alarms)) AS rule FROM trials)
SELECT module, rule.key AS rule, CAST(sum(rule.value) AS DOUBLE) AS alarms, CAST(sum(cells) AS DOUBLE) AS cells,
       list(found ORDER BY trial_id) AS found, list(trial_id ORDER BY trial_id) AS trials
FROM rules GROUP BY module, rule.key HAVING alarms > {share!r} * cells ORDER BY alarms DESC, module, rule
"""


@dataclass(frozen=True)
class SeededAlarms:
    """Rules with a precision below `precision` on planted faults, that fire on more than `share` of all cells."""

    precision: float = 0.5
    share: float = 0.0005
    name: str = "seeded_alarms"
    turn: int = 2
    reads: frozenset[str] = KINDS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a cleaning module and rule; `size` is 1 - precision (a true fault that the data were delivered
        with counts as an alarm, so the precision is a lower bound)."""
        found = []
        for row in traces.sql(_QUERY.format(newest=NEWEST, share=self.share)).iter_rows(named=True):
            kinds = [kind for kind, rules in RULES_OF.items() if row["rule"] in rules]
            hits = sum(trial.get(kind, 0) for trial in row["found"] for kind in kinds)
            precision = hits / (hits + row["alarms"])
            if precision >= self.precision:
                continue
            found.append(
                Finding(
                    miner=self.name,
                    module=row["module"],
                    pattern=f"rule {row['rule']} fires where no fault was planted",
                    statement=(
                        f"A looser rule {row['rule']} in {row['module']} raises fewer false alarms and misses no "
                        f"planted fault: it fired on {row['alarms']:.0f} of {row['cells']:.0f} cells away from every "
                        f"planted fault, and found {hits} of these (precision {precision:.0%})."
                    ),
                    size=1.0 - precision,
                    unit="1 - precision",
                    occurrences=int(row["alarms"]),
                    evidence=tuple(row["trials"]),
                    levers=LOOSER.get(row["rule"], ()),
                )
            )
        return sorted(found, key=lambda f: (-f.size, -f.occurrences, f.pattern))


MINER = SeededAlarms()
