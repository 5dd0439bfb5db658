"""Quality rules that fire on good data: what they hit did not revert, or they hit so much that it cannot be wrong."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, Beyond, beyond


@dataclass(frozen=True)
class Rule:
    """A quality rule whose false alarms the traces show. `value` is SQL over the metrics `m` of a clean stage."""

    name: str
    pattern: str
    value: str
    threshold: float
    levers: tuple[Lever, ...]


# A masked move was an error only if the next bar took it back, which the `spike` rule counts.
_PERSISTED = "1 - least(1, m['flagged_spike'] / nullif(m['repaired_spike_suspect'], 0))"
_CELLS = "(m['bars'] * m['symbols'] * m['coverage'])"


def _idle(rule: str) -> str:
    """Share of all cells that a rule flags while it repairs none."""
    return f"CASE WHEN m['repaired_{rule}'] = 0 THEN m['flagged_{rule}'] / nullif({_CELLS}, 0) END"


RULES = (
    Rule(
        "spike_suspect",
        "most moves it masks persist",
        _PERSISTED,
        0.5,
        (Lever("spike_sigmas", "raise"), Lever("spike_min_return_bps", "raise")),
    ),
    Rule(
        "stale_run", "it flags much and repairs nothing", _idle("stale_run"), 0.001, (Lever("stale_run_bars", "raise"),)
    ),
    Rule("gap", "it flags much and repairs nothing", _idle("gap"), 0.001, (Lever("gap_min_sessions", "raise"),)),
    Rule(
        "ohlc_order",
        "it flags much and repairs nothing",
        _idle("ohlc_order"),
        0.001,
        (Lever("ohlc_tolerance_bps", "raise"),),
    ),
)


@dataclass(frozen=True)
class FalseAlarms:
    """Per rule, the share of its hits (or of all cells) that were no faults."""

    rules: tuple[Rule, ...] = RULES
    name: str = "false_alarms"
    turn: int = 2
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding per cleaning module and rule; `size` is the median share."""
        found = [
            self._finding(rule, row) for rule in self.rules for row in beyond(traces, _values(rule), rule.threshold)
        ]
        return sorted(found, key=lambda f: -f.size)

    def _finding(self, rule: Rule, row: Beyond) -> Finding:
        return Finding(
            miner=self.name,
            module=row.module,
            pattern=f"rule {rule.name}: {rule.pattern}",
            statement=(
                f"A looser rule {rule.name} in {row.module} loses no good data: {rule.pattern} "
                f"({row.median:.2%}, median of {row.times} of {row.seen} runs)."
            ),
            size=row.median,
            unit="share of hits" if rule.value == _PERSISTED else "share of cells",
            occurrences=row.times,
            evidence=row.runs,
            levers=rule.levers,
        )


def _values(rule: Rule) -> str:
    stages = "SELECT name, run_id, metrics AS m FROM in_force WHERE stage = 'clean'"
    return f"SELECT name, run_id, {rule.value} AS value FROM ({stages})"


MINER = FalseAlarms()
