"""What a miner finds: a pattern in the traces, its evidence, and a claim that an ablation can refute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from modules.canonical import digest_json
from supervisor.mined import Mined
from traces.events import Claim, FindingRecorded

__all__ = ["Claim", "Finding", "Lever", "Miner"]

MOST_EVIDENCE = 50
LEAST_SHARE = 0.1
"""By how much of its size a pattern must shrink, where a miner claims nothing more exact."""


@dataclass(frozen=True)
class Lever:
    """A setting that may mend the pattern, and which way it would have to move."""

    setting: str
    direction: Literal["raise", "lower"]

    @property
    def words(self) -> str:
        """`+setting` or `-setting`, as the ledger has it."""
        return ("+" if self.direction == "raise" else "-") + self.setting


@dataclass(frozen=True)
class Finding:
    """One pattern in one module.

    `size` is how bad it is, in `unit` (named in the pattern); `occurrences` how often it was seen; `evidence`
    the runs (or research) that show it; `statement` what a patch should change, in words, and `claimed` the same as
    data, so that it can be refuted. Empty `levers` means that no setting can mend it: it is shown to a human and
    nothing is proposed.
    """

    miner: str
    module: str
    pattern: str
    statement: str
    size: float
    unit: str
    occurrences: int
    evidence: tuple[str, ...]
    levers: tuple[Lever, ...] = ()
    claim: Claim | None = None

    @property
    def finding_id(self) -> str:
        """The same pattern on the same evidence has the same id, whenever it is mined."""
        return digest_json([self.miner, self.module, self.pattern, sorted(self.evidence)])[:16]

    @property
    def claimed(self) -> Claim:
        """What the miner claims; at the least that its own pattern is a tenth smaller when it is mined again."""
        least = round(LEAST_SHARE * abs(self.size), 9)
        return self.claim or Claim(metric=self.unit, direction="lower", least=least, over="finding")

    def event(self) -> FindingRecorded:
        """For the ledger."""
        return FindingRecorded(
            finding_id=self.finding_id,
            miner=self.miner,
            module=self.module,
            statement=self.statement,
            size=self.size,
            occurrences=self.occurrences,
            evidence=self.evidence[:MOST_EVIDENCE],
            pattern=self.pattern,
            unit=self.unit,
            claim=self.claimed,
            levers=tuple(lever.words for lever in self.levers),
        )


class Miner(Protocol):
    """One question to the traces. Miners read; they never write, run or propose."""

    @property
    def name(self) -> str:
        """Also the name of the miner's file."""

    @property
    def reads(self) -> frozenset[str]:
        """Kinds of events that may change what it finds: without a new one of these it need not be asked again."""

    @property
    def turn(self) -> int:
        """When its findings are pursued: 1 = money is lost now, 2 = quality, 3 = what makes people or machines wait."""

    def mine(self, traces: Mined, /) -> list[Finding]:
        """Findings, the largest first; empty where the pattern is not there."""
