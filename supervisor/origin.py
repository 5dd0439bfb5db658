"""Who or what asked for a patch, and why: beside the record, so that a reader, and `cws verify`, can go back to it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from traces.events import FindingRecorded

MOST_RATIONALE = 2_000
"""Characters."""


class Origin(BaseModel):
    """`proposer` is one of the loop's, or `by hand`; `tape` the digest of what was heard from outside, if anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proposer: str
    rationale: str = ""
    tape: str | None = None
    findings: tuple[FindingRecorded, ...] = ()

    @property
    def lines(self) -> list[str]:
        """For the request."""
        who = "a person" if self.proposer == "by hand" else f"the {self.proposer} proposer of the supervisor"
        chosen = [] if self.proposer == "by hand" else ["chosen among its candidates on the mining part"]
        why = [line.strip() for line in self.rationale[:MOST_RATIONALE].splitlines() if line.strip()]
        heard = [f"heard from outside for it: tape {self.tape[:16]}"] if self.tape else []
        return [who, *chosen, *why, *heard]


BY_HAND = Origin(proposer="by hand")
