"""Research: what was asked, drafted, checked, screened, written, and heard from outside."""

from __future__ import annotations

from typing import Literal

from traces.events.base import Count, EventBase, MaybeFloat, Seconds, Seed, Texts


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
