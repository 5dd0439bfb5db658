"""What a miner finds: a pattern in the traces, its evidence, and a claim that an ablation can refute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from modules.canonical import digest_json
from supervisor.mined import Mined
from traces.events import FindingRecorded

MOST_EVIDENCE = 50


@dataclass(frozen=True)
class Lever:
    """A setting that may mend the pattern, and which way it would have to move."""

    setting: str
    direction: Literal["raise", "lower"]


@dataclass(frozen=True)
class Finding:
    """One pattern in one module.

    `size` is how bad it is, in `unit` (named in the pattern); `occurrences` how often it was seen; `evidence`
    the runs (or research) that show it; `statement` what a patch should change, so that it can be refuted.
    Empty `levers` means that no setting can mend it: it is shown to a human and nothing is proposed.
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

    @property
    def finding_id(self) -> str:
        """The same pattern on the same evidence has the same id, whenever it is mined."""
        return digest_json([self.miner, self.module, self.pattern, sorted(self.evidence)])[:16]

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
        )


class Miner(Protocol):
    """One question to the traces. Miners read; they never write, run or propose."""

    @property
    def name(self) -> str:
        """Also the name of the miner's file."""

    def mine(self, traces: Mined, /) -> list[Finding]:
        """Findings, the largest first; empty where the pattern is not there."""
