"""Typed events: one frozen class per kind, told apart by `kind`, each one canonical line of JSON.

Rules of this file. A kind is never renamed and a field never changes its meaning, because the lines already
written stay. A new field needs a default, so that older lines still read. Unknown fields are refused.

Numbers. JSON has neither NaN nor infinity. A metric that could not be computed is passed as NaN (or None) and
recorded as null: `Metrics` and `MaybeFloat` turn every non-finite number into None. All other floats must be
finite; a NaN there is refused when the event is made, not when it is written. Times: `ts_ns` is ns UTC, and
`start`/`end` are ISO 8601 text. Durations are in seconds. Digests are lowercase hex.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

JsonScalar: TypeAlias = str | int | float | bool | None
Setting: TypeAlias = JsonScalar | tuple[JsonScalar, ...]
"""A value of a module's settings: a scalar, or a flat list of them."""


def _finite_or_none(value: object) -> object:
    number = isinstance(value, Real) and not isinstance(value, int)  # Real: NumPy's float32 is no float
    return None if number and not math.isfinite(float(value)) else value  # type: ignore[arg-type]


def _finite_items(value: object) -> object:
    return {k: _finite_or_none(v) for k, v in value.items()} if isinstance(value, Mapping) else value


MaybeFloat = Annotated[float | None, BeforeValidator(_finite_or_none)]
Metrics = Annotated[Mapping[str, float | None], BeforeValidator(_finite_items)]
Texts = Annotated[Sequence[str], AfterValidator(tuple)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Seed = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Seconds = Annotated[float, Field(ge=0.0)]


class EventBase(BaseModel):
    """Base of every event: frozen, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Change(EventBase):
    """One setting of a patch: the value in force and the value proposed."""

    old: Setting
    new: Setting


# --- runs -----------------------------------------------------------------------------------------


class RunStarted(EventBase):
    """A task begins its travel through the pipeline. `modules` maps stage to module name."""

    kind: Literal["run.started"] = "run.started"
    run_id: str
    task_digest: str
    data: str
    data_digest: str
    signal: str | None
    start: str
    end: str
    seed: Seed
    modules: Mapping[str, str]
    purpose: Literal["run", "research", "ablation", "replay", "certify", "validate"]
    facts: str | None = None
    facts_digest: str | None = None


class RunFinished(EventBase):
    """The run's outputs exist. `digest` covers all of them."""

    kind: Literal["run.finished"] = "run.finished"
    run_id: str
    digest: str
    metrics: Metrics
    seconds: Seconds


class RunFailed(EventBase):
    """The run stopped. `error` is the exception's class; `stage` is None when no stage had begun."""

    kind: Literal["run.failed"] = "run.failed"
    run_id: str
    stage: str | None
    error: str
    message: str


class StageFinished(EventBase):
    """One stage of a run. `inputs` and `outputs` map artifact name to digest; `cached` = nothing was executed."""

    kind: Literal["stage.finished"] = "stage.finished"
    run_id: str
    stage: str
    module: str
    code_digest: str
    settings_digest: str
    settings: Mapping[str, Setting]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    seconds: Seconds
    cached: bool
    metrics: Metrics


class StageRefused(EventBase):
    """A contract or acceptance rule was broken. `rules` maps each broken rule to its number of violations."""

    kind: Literal["stage.refused"] = "stage.refused"
    run_id: str
    stage: str
    module: str
    side: Literal["inputs", "outputs", "acceptance"]
    rules: Mapping[str, Count]
    message: str
    code_digest: str = ""
    settings_digest: str = ""


class RunProfiled(EventBase):
    """Where a run's result came from, measured on its artifacts. `years` and `regimes` (`calm`, `usual`, `volatile`: by
    the market's volatility as known before each bar) map to annualised net Sharpe ratios, `sectors` and `symbols` to
    net profit in dollars; `figures` says what fills cost against the close of their decision, and what share of the
    volume they took. `measure` is the digest of how it was measured."""

    kind: Literal["run.profiled"] = "run.profiled"
    run_id: str
    measure: str
    years: Metrics
    regimes: Metrics
    sectors: Metrics
    symbols: Metrics
    figures: Metrics


# --- data -----------------------------------------------------------------------------------------


class DataRegistered(EventBase):
    """An immutable version of a data set. `refused` maps each refusal rule to the rows it took, `exposed` each set of
    another name to the symbol-days of its lockbox that lie open in this one."""

    kind: Literal["data.registered"] = "data.registered"
    name: str
    version: str
    digest: str
    ingest: str
    rows: Count
    symbols: Count
    start: str
    end: str
    refused: Mapping[str, Count]
    exposed: Mapping[str, Count] = {}


class FeaturesStored(EventBase):
    """A commit of the feature store. `commit` is the digest of its file in the log, so that the ledger vouches for it;
    `features` were new by it."""

    kind: Literal["features.stored"] = "features.stored"
    data: str
    data_digest: str
    version: Count
    commit: str
    features: Texts
    files: Count


class FaultsPlanted(EventBase):
    """A cleaning module was tried on registered data into which faults were planted by `seed`. By kind of fault:
    `planted` and, of those, `found`. By rule: `alarms` on cells without a planted fault, and how many of these were
    `standing` on the same data before anything was planted. `cells` were looked at."""

    kind: Literal["faults.planted"] = "faults.planted"
    trial_id: str
    module: str
    code_digest: str
    settings_digest: str
    data_digest: str
    seed: Seed
    cells: Count
    planted: Mapping[str, Count]
    found: Mapping[str, Count]
    alarms: Mapping[str, Count]
    standing: Mapping[str, Count]


class FeaturesCompared(EventBase):
    """The members of a family of features, evaluated on registered data. `used` are in the settings in force; `alike`
    maps a pair, `first second`, to the mean rank correlation of their values, where its size is above `floor`."""

    kind: Literal["features.compared"] = "features.compared"
    comparison_id: str
    module: str
    code_digest: str
    settings_digest: str
    data_digest: str
    features: Texts
    used: Texts
    floor: float
    alike: Mapping[str, float]


# --- research -------------------------------------------------------------------------------------


class ResearchStarted(EventBase):
    """A hypothesis was put in words. `drafter` names who turns it into candidates."""

    kind: Literal["research.started"] = "research.started"
    research_id: str
    text: str
    drafter: str
    seed: Seed


class ResearchNeedsInput(EventBase):
    """The text leaves something open. `unread` holds the parts that were not understood."""

    kind: Literal["research.needs_input"] = "research.needs_input"
    research_id: str
    question: str
    unread: Texts


class ResearchRefused(EventBase):
    """No strategy came of it. `reason` is an enum value, `message` a sentence with the remedy."""

    kind: Literal["research.refused"] = "research.refused"
    research_id: str
    reason: str
    message: str


class CandidateDrafted(EventBase):
    """A signal proposed for the hypothesis by `skill`."""

    kind: Literal["candidate.drafted"] = "candidate.drafted"
    research_id: str
    expr: str
    skill: str
    why: str


class CandidateChecked(EventBase):
    """Whether a candidate may be tested at all: parses, no look-ahead, novel, coverage."""

    kind: Literal["candidate.checked"] = "candidate.checked"
    research_id: str
    expr: str
    passed: bool
    reason: str


class CandidateScreened(EventBase):
    """A candidate's quick score. `ic`: mean rank IC; `coverage`: share of cells with a value."""

    kind: Literal["candidate.screened"] = "candidate.screened"
    research_id: str
    expr: str
    score: MaybeFloat
    ic: MaybeFloat
    coverage: MaybeFloat


class ModuleWritten(EventBase):
    """The chosen candidate stands as a module on a branch of its own."""

    kind: Literal["module.written"] = "module.written"
    research_id: str
    expr: str
    run_id: str
    branch: str
    commit: str


class ExchangeRecorded(EventBase):
    """Something outside answered a research: a language model or another source, `who`. The words are on the research's
    tape; `request` is the digest of what was asked, `line` that of the tape's line, so that the ledger vouches for it.
    `cost_micro_usd` is in millionths of a dollar (None: no price is known); `replayed` = heard from another tape."""

    kind: Literal["exchange.recorded"] = "exchange.recorded"
    research_id: str
    who: str
    label: str
    request: str
    line: str
    input_tokens: Count = 0
    output_tokens: Count = 0
    cost_micro_usd: Count | None = 0
    seconds: Seconds = 0.0
    replayed: bool = False


class ModuleTested(EventBase):
    """A module in Python was tested in a sandbox, before anybody merged it. `failed` names the rules it broke; the
    program under test could have said anything, so this is its claim."""

    kind: Literal["module.tested"] = "module.tested"
    coding_id: str
    module: str
    attempt: Count
    files_digest: str
    inputs_digest: str
    sandbox: str
    passed: bool
    failed: Texts


# --- trials, findings, ablations, reviews -----------------------------------------------------------


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


class ReviewOpened(EventBase):
    """A branch awaits a human. `ablation_id` is None for a module that research wrote."""

    kind: Literal["review.opened"] = "review.opened"
    branch: str
    ablation_id: str | None
    commit: str


class MergeBegun(EventBase):
    """Everything was checked and a human said yes: `commit` is about to be merged onto `base`. Without it a merge that
    git holds is nobody's; with it, a merge that a crash cut off from its `review.approved` is known again."""

    kind: Literal["merge.begun"] = "merge.begun"
    branch: str
    by: str
    commit: str
    base: str


class ReviewApproved(EventBase):
    """A human merged the branch."""

    kind: Literal["review.approved"] = "review.approved"
    branch: str
    by: str
    merge_commit: str


class ReviewRejected(EventBase):
    """A human turned the branch down."""

    kind: Literal["review.rejected"] = "review.rejected"
    branch: str
    by: str
    reason: str


class PatchWatched(EventBase):
    """The benefit of a merged patch was measured again, by taking it back over the suite's tasks: `benefit` in the unit
    of its verdict (None: its tasks no longer run), `bound` the lower bound on which it shipped. `later` = on bars that
    no gate had seen; `question` is the digest of all that the answer depends on; `decayed` = the benefit fell below
    its bound."""

    kind: Literal["patch.watched"] = "patch.watched"
    ablation_id: str
    question: str
    data_digest: str
    start: str
    end: str
    later: bool
    benefit: MaybeFloat
    lower_bound: MaybeFloat
    upper_bound: MaybeFloat
    bound: float
    decayed: bool
    seconds: Seconds
    note: str = ""


class RollbackProposed(EventBase):
    """Somebody asks to take a merged patch back: a request on `branch`. `question`: of the measurement behind it, ""
    for a human's own wish."""

    kind: Literal["rollback.proposed"] = "rollback.proposed"
    ablation_id: str
    branch: str
    commit: str
    by: str
    reason: str
    question: str = ""


class PatchRolledBack(EventBase):
    """A human took a merged patch back. `branch` is that of the patch; it counts as turned down."""

    kind: Literal["patch.rolled_back"] = "patch.rolled_back"
    ablation_id: str
    branch: str
    by: str
    reason: str
    merge_commit: str


# --- nights -------------------------------------------------------------------------------------------


class NightStarted(EventBase):
    """A night of the supervisor begins. `number` counts the nights of this workspace from 0; with `seed` it fixes every
    draw. `ablations` is the most that may be judged. `suite` None = each module's own."""

    kind: Literal["night.started"] = "night.started"
    night_id: str
    number: Count
    seed: Seed
    seconds: Seconds
    ablations: Count
    suite: str | None


class ArmPulled(EventBase):
    """The night spends on an arm: a module (or a market, `data/NAME`) and who proposes for it. `why`: `due` = its
    deadline had passed, `drawn` = by Thompson sampling, with the drawn gain per compute second in `score`. `due` is the
    deadline, ISO 8601."""

    kind: Literal["arm.pulled"] = "arm.pulled"
    night_id: str
    pull: Count
    module: str
    proposer: str
    why: Literal["due", "drawn"]
    score: MaybeFloat
    due: str


class ArmPaid(EventBase):
    """What a pull came to. `gain` is the shipped improvement, Sharpe a year, 0 where nothing shipped; `seconds` were
    spent. `nothing` = no candidate was worth a trial; `known` = the verdicts on it stand already."""

    kind: Literal["arm.paid"] = "arm.paid"
    night_id: str
    pull: Count
    module: str
    proposer: str
    outcome: Literal["ship", "reject", "nothing", "known", "failed"]
    gain: Annotated[float, Field(ge=0.0)]
    seconds: Seconds
    ablation_id: str | None
    note: str = ""


class NightFinished(EventBase):
    """The night is over. `reason` says why nothing more was begun."""

    kind: Literal["night.finished"] = "night.finished"
    night_id: str
    reason: str
    seconds: Seconds
    pulls: Count
    ablations: Count
    shipped: Count


# --- the lockbox and promotion ------------------------------------------------------------------------


class LockboxOpened(EventBase):
    """The last part of a data set is about to be read, for one strategy, in a human's name. `strategy` is the digest
    of its signal and settings. `earlier` counts the looks that other strategies had; `exposed_share` is how much of it
    lies open in other sets; `resumed` = an opening whose promotion was cut off before it was decided goes on."""

    kind: Literal["lockbox.opened"] = "lockbox.opened"
    run_id: str
    run_digest: str
    strategy: str
    data: str
    version: str
    data_digest: str
    purpose: Literal["promotion"]
    by: str
    earlier: Count
    exposed_share: MaybeFloat
    resumed: bool = False


class PromotionDecided(EventBase):
    """Whether a run may go to the next stage. `held` and `failed` name criteria; `opened` = the lockbox was read for
    it; `figures` maps criterion to what was found (None = no evidence); `record` is the digest of its record."""

    kind: Literal["promotion.decided"] = "promotion.decided"
    promotion_id: str
    run_id: str
    run_digest: str
    strategy: str
    to: Literal["paper", "micro", "scale"]
    decision: Literal["PROMOTE", "REFUSE"]
    held: Texts
    failed: Texts
    figures: Metrics
    opened: bool
    by: str
    record: str


# --- the ledger's own -------------------------------------------------------------------------------


class LedgerRepaired(EventBase):
    """Bytes that no append had acknowledged (a crash cut it off) were moved to `file`, beside the log."""

    kind: Literal["ledger.repaired"] = "ledger.repaired"
    file: str
    torn_bytes: Count
    sha256: str
    complete_lines: Count


Event: TypeAlias = Annotated[
    RunStarted
    | RunFinished
    | RunFailed
    | StageFinished
    | StageRefused
    | RunProfiled
    | FaultsPlanted
    | FeaturesCompared
    | DataRegistered
    | FeaturesStored
    | ResearchStarted
    | ResearchNeedsInput
    | ResearchRefused
    | CandidateDrafted
    | CandidateChecked
    | CandidateScreened
    | ModuleTested
    | ModuleWritten
    | ExchangeRecorded
    | TrialRecorded
    | FindingRecorded
    | PatchProposed
    | PatchScreened
    | AblationStarted
    | AblationFinished
    | CertificateIssued
    | ReviewOpened
    | MergeBegun
    | ReviewApproved
    | ReviewRejected
    | PatchWatched
    | RollbackProposed
    | PatchRolledBack
    | NightStarted
    | ArmPulled
    | ArmPaid
    | NightFinished
    | LockboxOpened
    | PromotionDecided
    | LedgerRepaired,
    Field(discriminator="kind"),
]


class Envelope(BaseModel):
    """One line of the ledger: place, time (ns UTC), hash of the line before, and the event.

    `prev` is the SHA-256 of the bytes of the line before, without its newline; 64 zeros for the first line.
    Lines appended as one group share `ts_ns`; a later group has a later one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: Annotated[int, Field(ge=0)]
    ts_ns: Annotated[int, Field(ge=0)]
    prev: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    event: Event


EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Validates an event of any kind: `EVENT.validate_json(text)`, `EVENT.validate_python(mapping)`."""

KINDS: Mapping[str, type[EventBase]] = {
    cls.model_fields["kind"].default: cls for cls in EventBase.__subclasses__() if "kind" in cls.model_fields
}
"""Kind to class, in the order of this file."""


def canonical_json(model: BaseModel) -> str:
    """One line of JSON: keys sorted, no spaces, shortest floats that round-trip, text as it is, no NaN.

    Equal models give equal text, whatever the order in which their mappings were filled. A lone surrogate (the
    trace of an undecodable file name in an error message) has no UTF-8 form and becomes a question mark.
    """
    text = json.dumps(
        model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "replace").decode()
