"""Typed events: one frozen class per kind, told apart by `kind`, each one canonical line of JSON.

Rules of this folder. A kind is never renamed and a field never changes its meaning, because the lines already
written stay. A new field needs a default, so that older lines still read. Unknown fields are refused.

Numbers. JSON has neither NaN nor infinity. A metric that could not be computed is passed as NaN (or None) and
recorded as null: `Metrics` and `MaybeFloat` turn every non-finite number into None. All other floats must be
finite; a NaN there is refused when the event is made, not when it is written. Times: `ts_ns` is ns UTC, and
`start`/`end` are ISO 8601 text. Durations are in seconds. Digests are lowercase hex.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from traces.events.base import Change, Count, EventBase, JsonScalar, MaybeFloat, Metrics, Seconds, Seed, Setting, Texts
from traces.events.data import DataRegistered, FaultsPlanted, FeaturesCompared, FeaturesStored
from traces.events.judging import (
    AblationFinished,
    AblationStarted,
    CertificateIssued,
    Claim,
    FindingRecorded,
    PatchProposed,
    PatchScreened,
    TrialRecorded,
)
from traces.events.nights import ArmPaid, ArmPulled, NightFinished, NightStarted
from traces.events.promotion import LockboxOpened, PromotionDecided
from traces.events.requests import (
    MergeBegun,
    PatchRolledBack,
    PatchWatched,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    RollbackProposed,
)
from traces.events.research import (
    CandidateChecked,
    CandidateDrafted,
    CandidateScreened,
    ExchangeRecorded,
    ModuleTested,
    ModuleWritten,
    ResearchNeedsInput,
    ResearchRefused,
    ResearchStarted,
)
from traces.events.runs import RunFailed, RunFinished, RunProfiled, RunStarted, StageFinished, StageRefused
from traces.events.upkeep import LedgerRepaired

__all__ = [
    "EVENT",
    "KINDS",
    "AblationFinished",
    "AblationStarted",
    "ArmPaid",
    "ArmPulled",
    "CandidateChecked",
    "CandidateDrafted",
    "CandidateScreened",
    "CertificateIssued",
    "Change",
    "Claim",
    "Count",
    "DataRegistered",
    "Envelope",
    "Event",
    "EventBase",
    "ExchangeRecorded",
    "FaultsPlanted",
    "FeaturesCompared",
    "FeaturesStored",
    "FindingRecorded",
    "JsonScalar",
    "LedgerRepaired",
    "LockboxOpened",
    "MaybeFloat",
    "MergeBegun",
    "Metrics",
    "ModuleTested",
    "ModuleWritten",
    "NightFinished",
    "NightStarted",
    "PatchProposed",
    "PatchRolledBack",
    "PatchScreened",
    "PatchWatched",
    "PromotionDecided",
    "ResearchNeedsInput",
    "ResearchRefused",
    "ResearchStarted",
    "ReviewApproved",
    "ReviewOpened",
    "ReviewRejected",
    "RollbackProposed",
    "RunFailed",
    "RunFinished",
    "RunProfiled",
    "RunStarted",
    "Seconds",
    "Seed",
    "Setting",
    "StageFinished",
    "StageRefused",
    "Texts",
    "TrialRecorded",
    "canonical_json",
]

Event: TypeAlias = Annotated[
    RunStarted
    | RunFinished
    | RunFailed
    | StageFinished
    | StageRefused
    | RunProfiled
    | DataRegistered
    | FeaturesStored
    | FaultsPlanted
    | FeaturesCompared
    | ResearchStarted
    | ResearchNeedsInput
    | ResearchRefused
    | CandidateDrafted
    | CandidateChecked
    | CandidateScreened
    | ModuleWritten
    | ExchangeRecorded
    | ModuleTested
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

KINDS: Mapping[str, type[EventBase]] = {cls.model_fields["kind"].default: cls for cls in get_args(get_args(Event)[0])}
"""Kind to class, in the order of `Event`."""


def canonical_json(model: BaseModel) -> str:
    """One line of JSON: keys sorted, no spaces, shortest floats that round-trip, text as it is, no NaN.

    Equal models give equal text, whatever the order in which their mappings were filled. A lone surrogate (the
    trace of an undecodable file name in an error message) has no UTF-8 form and becomes a question mark.
    """
    text = json.dumps(
        model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "replace").decode()
