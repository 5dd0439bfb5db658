"""The loop up to the verdict: trials, findings, proposals, ablations, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from traces.events.base import Change, Count, EventBase, MaybeFloat, Seconds, Seed, Texts


class TrialRecorded(EventBase):
    """One look at the data. Every one counts against false discovery, whoever made it and whatever came of it.

    `p_value`, `level` (the level it was tested at) and `rejected` are None for a look that was not a test.
    """

    kind: Literal["trial.recorded"] = "trial.recorded"
    trial_id: str
    family: Literal["screen", "backtest", "ablation"]
    subject: str
    data_digest: str
    p_value: MaybeFloat = Field(default=None, ge=0.0, le=1.0)
    level: MaybeFloat = Field(default=None, ge=0.0, le=1.0)
    rejected: bool | None = None


class Claim(EventBase):
    """What a patch must change for a finding to have been right: `metric` moves in `direction` by at least `least`,
    over the `runs` that are its evidence, or (`finding`) in what the miner sees when it looks again."""

    metric: str
    direction: Literal["raise", "lower"]
    least: float
    over: Literal["runs", "finding"] = "runs"


class FindingRecorded(EventBase):
    """A pattern that a miner saw in the traces. `size` is in the miner's own `unit`; `evidence` holds ids of runs (or
    of what else shows it); `levers` are settings that may mend it, each with a `+` or `-` for the way."""

    kind: Literal["finding.recorded"] = "finding.recorded"
    finding_id: str
    miner: str
    module: str
    statement: str
    size: MaybeFloat
    occurrences: Count
    evidence: Texts
    pattern: str = ""
    unit: str = ""
    claim: Claim | None = None
    levers: Texts = ()


class PatchProposed(EventBase):
    """Candidates that a proposer asks for, the best guess first. `patches` holds their digests, `changes` what
    the first changes (texts by their digests); `tape` is `ID:DIGEST` of what was heard from outside for it."""

    kind: Literal["patch.proposed"] = "patch.proposed"
    proposal_id: str
    proposer: str
    module: str
    findings: Texts
    patches: Texts
    changes: Mapping[str, Change]
    rationale: str = ""
    tape: str | None = None
    seed: Seed = 0
    seconds: Seconds = 0.0


class PatchScreened(EventBase):
    """A candidate was compared on the mining period: no verdict, but what search and reflection learn from.

    `question` is the digest of all that the answer depends on; `trial_id` is the look it was counted as. Numbers are
    None where the candidate moved no bit (`idle`) or broke a contract (`refused`). `broken` names the guards that it
    would break, and `excess` is how far beyond its tolerance the worst of them went, in tolerances.
    """

    kind: Literal["patch.screened"] = "patch.screened"
    question: str
    trial_id: str
    module: str
    patch_digest: str
    changes: Mapping[str, Change]
    suite_digest: str
    outcome: Literal["measured", "idle", "refused"]
    delta: MaybeFloat = None
    lower_bound: MaybeFloat = None
    broken: Texts = ()
    excess: MaybeFloat = None
    seconds: Seconds = 0.0


class AblationStarted(EventBase):
    """A patch goes on trial: baseline and patched over a task suite."""

    kind: Literal["ablation.started"] = "ablation.started"
    ablation_id: str
    module: str
    patch: Mapping[str, Change]
    suite: str
    suite_digest: str


class AblationFinished(EventBase):
    """The verdict. A number is None where the gate refused before it could be computed."""

    kind: Literal["ablation.finished"] = "ablation.finished"
    ablation_id: str
    module: str
    verdict: Literal["SHIP", "REJECT"]
    reason: str
    delta: MaybeFloat
    lower_bound: MaybeFloat
    p_value: MaybeFloat
    level: MaybeFloat
    seconds: Seconds


class CertificateIssued(EventBase):
    """The gate's own false-ship rate, measured on `patches` worthless patches. `upper_bound`: of that rate."""

    kind: Literal["certificate.issued"] = "certificate.issued"
    certificate_id: str
    gate_digest: str
    suite_digest: str
    data_digest: str
    patches: Count
    false_ships: Count
    upper_bound: MaybeFloat
    minimum_detectable: MaybeFloat
