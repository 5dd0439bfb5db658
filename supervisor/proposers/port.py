"""The port that every proposer fills: findings of one module in, candidate patches out, or None.

A proposer sees its `Desk` and nothing else. It writes nothing: what it proposes is data, and the gate decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from ablations.patch import Patch
from modules.canonical import digest_json
from modules.contract import STAGES
from modules.registry import read_settings, settings_model
from modules.workspace import CHECKOUT
from skills.registry import Skill, load_skills, skills_of_module
from supervisor.bounds import Bound, Option, choices, search_space
from supervisor.finding import Finding
from supervisor.history import History
from supervisor.screen import Screened, changes_of
from traces.events import PatchProposed, PatchScreened

MOST_CANDIDATES = 15
"""Of one proposal; each of them costs a comparison on mining data."""

MOVABLE = ("clean", "feature", "size", "execute")
"""Stages whose settings a proposer may move. What is read in and what a backtest says of a signal are measurements:
another ruler makes nothing longer."""

DECIDING = ("clean", "feature", "size")
"""Stages whose settings decide; those of the others say how files are written or how a market answers."""

MOST_RATIONALE = 2_000
"""Characters."""

Compare = Callable[[Sequence[Patch]], Sequence[Screened]]
"""Candidates on MINING data, the best first. Each look is counted as a trial; what time did not reach is left out."""


@dataclass(frozen=True)
class Proposal:
    """Candidate patches of one module, the best guess first, with the findings that ask for them.

    `proposer` says who wrote it and `rationale` why; `tape` names what was heard from outside, if
    anything, as `ID:DIGEST` (`reflection.tape_named`).
    """

    module: str
    findings: tuple[Finding, ...]
    candidates: tuple[Patch, ...]
    proposer: str = "rules"
    rationale: str = ""
    tape: str | None = None

    def __post_init__(self) -> None:
        mine = "skills" if self.module.startswith("skills/") else self.module
        if not self.candidates or {p.module for p in self.candidates} != {mine}:
            raise ValueError(f"a proposal for {self.module} holds at least one patch, and patches of that module alone")

    @property
    def proposal_id(self) -> str:
        """Of what is proposed, by whom, and on which findings."""
        return digest_json(
            [
                self.proposer,
                self.module,
                sorted(f.finding_id for f in self.findings),
                [p.digest for p in self.candidates],
                self.tape,
            ]
        )[:16]

    def event(self, seconds: float, seed: int) -> PatchProposed:
        """For the ledger."""
        return PatchProposed(
            proposal_id=self.proposal_id,
            proposer=self.proposer,
            module=self.module,
            findings=tuple(f.finding_id for f in self.findings),
            patches=tuple(p.digest for p in self.candidates),
            changes=changes_of(self.candidates[0]),
            rationale=self.rationale[:MOST_RATIONALE],
            tape=self.tape,
            seed=seed,
            seconds=seconds,
        )


@dataclass(frozen=True)
class Desk:
    """What a proposer may see: settings in force and their bounds, what was judged before, skills, READMEs, a deadline,
    a seed, and comparison on mining data. It holds no judging data, no lockbox, and no way to write."""

    history: History
    suite_digest: str
    compare: Compare
    deadline_s: float
    """Of time.monotonic."""
    seed: int = 0
    root: Path = CHECKOUT
    looked: Callable[[str], Sequence[PatchScreened]] = lambda module: ()
    """Looks of before at a module as everything stands now, oldest first; `compare` answers them again for nothing."""

    note: Callable[[str], None] = lambda words: None
    """Told why nothing was proposed, where a human should know."""

    def settings(self, module: str) -> dict[str, JsonValue]:
        """The settings in force of `stage/name`. Raises RegistryError."""
        stage, _, name = module.partition("/")
        return read_settings(stage, name).model_dump(mode="json")

    def schema(self, module: str) -> Mapping[str, JsonValue]:
        """The JSON schema of the settings of `stage/name`."""
        stage, _, name = module.partition("/")
        return settings_model(stage, name).model_json_schema()

    def space(self, module: str) -> dict[str, Bound]:
        """The settings of `stage/name` that may be searched, with their bounds."""
        return search_space(self.schema(module))

    def choices(self, module: str) -> dict[str, tuple[Option, ...]]:
        """The settings of `stage/name` that are one of a few, with what they may be. None where the stage describes
        the world (ingest, backtest, execute): there another value is another world, no better one."""
        return choices(self.schema(module)) if module.split("/")[0] in DECIDING else {}

    def readme(self, module: str) -> str:
        """The README of a module; "" for a module that is none."""
        stage, _, name = module.partition("/")
        path = self.root / "modules" / stage / name / "README.md"
        return path.read_text(errors="replace") if stage in STAGES and path.is_file() else ""

    def skills(self, module: str) -> tuple[Skill, ...]:
        """The skills about `stage/name`, or the one skill that `skills/name` is."""
        all_skills = load_skills(self.root / "skills")
        if module.startswith("skills/"):
            return tuple(s for s in all_skills if s.name == module.removeprefix("skills/"))
        return skills_of_module(module, all_skills)

    @property
    def seconds_left(self) -> float:
        """Until the deadline; never below 0."""
        return max(0.0, self.deadline_s - time.monotonic())


class Proposer(Protocol):
    """One way from findings to candidates. Equal findings, desk and ledger give equal proposals, or a tape does."""

    @property
    def name(self) -> str:
        """`rules`, `search`, `reflection`, `retire`, `relook` or `by hand`; in the ledger and in the request."""

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk, /) -> Proposal | None:
        """Candidates for `module`, or None where it has nothing to say. Raises nothing for hostile texts."""
