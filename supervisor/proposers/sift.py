"""What need not be asked again: candidates that were judged before, read from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ablations.patch import Patch
from supervisor.history import History, Judged


@dataclass(frozen=True)
class Sifted:
    """Candidates split by what is known of them: `fresh` were never judged over this suite on this base."""

    fresh: tuple[Patch, ...]
    judged: tuple[Judged, ...]

    @property
    def shipped(self) -> Judged | None:
        """The newest candidate that the gate let through and no human has turned down, if any."""
        standing = [j for j in self.judged if j.shipped and not j.rejected_by_human]
        return standing[-1] if standing else None


def sift(patches: Sequence[Patch], history: History, suite_digest: str) -> Sifted:
    """Set aside what was judged before: a verdict stands, and asking again is no new evidence."""
    known = {patch.digest: history.verdict_on(patch, suite_digest) for patch in patches}
    judged = [verdict for verdict in known.values() if verdict is not None]
    order = {judgement.finished.ablation_id: at for at, judgement in enumerate(history.judged)}
    return Sifted(
        fresh=tuple(p for p in patches if known[p.digest] is None),
        judged=tuple(sorted(judged, key=lambda j: order[j.finished.ablation_id])),
    )
