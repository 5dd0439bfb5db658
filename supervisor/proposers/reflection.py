"""The reflection proposer: a language model reads the finding and the module, and writes the diff.

Whichever model it is, it is asked through the tape: the same case is the same question, so a night that was killed
hears again what it heard, and `--llm replay:ID` gives the same patch with no network. Offline there is no such
proposer, which is said. What the model writes is only ever a diff: its path is checked before anything else, its
values against the bounds, and it is sent back at most `harness.llm.talk.MAX_REPAIRS` times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ablations.patch import Patch
from harness.drafters.opening import vouched
from harness.llm.cap import Capped, Limits, Spending
from harness.llm.choice import Choice, Opened, open_model
from harness.llm.port import ModelError, Reply
from harness.llm.recorder import Emit
from harness.llm.talk import Talk, json_of
from harness.llm.tape import Tape, line_digest, tape_path
from modules.canonical import digest_json
from modules.workspace import Workspace
from supervisor.finding import Finding
from supervisor.proposers.port import Desk, Proposal
from supervisor.proposers.words import SYSTEM, Written, answer_form, question
from supervisor.proposers.written import RefusedError, Sheet, patch_of_diff

LIMITS = Limits(calls=4, tokens=40_000, cost_micro_usd=500_000, seconds=300.0)
"""Of one proposal."""

MOST_OUTPUT_TOKENS = 6_000

Open = Callable[[str], Opened | None]
"""A model on the tape of that id, or None where none is chosen. Raises ModelError."""


@dataclass(frozen=True)
class Reflection:
    """Asks the model that `open_tape` opens. Equal questions have equal answers: every call is on the tape."""

    open_tape: Open
    home: Path
    voice: str
    """Who is asked, as chosen."""
    limits: Limits = LIMITS
    name: str = "reflection"

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        """See `Proposer.propose`. None, with a note on the desk, where there is no model or no usable answer."""
        asking = tuple(sorted((f for f in findings if f.module == module), key=lambda f: (-f.size, f.finding_id)))
        sheet = Sheet.of(module, desk.root)
        if sheet is None or not asking:
            return None
        asked = question(sheet, asking, desk)
        tape_id = tape_id_of(asked, self.voice)
        try:
            opened = self.open_tape(tape_id)
            if opened is None:
                desk.note(f"{module}: reflection is not available offline; choose a model with --llm or CWS_LLM")
                return None
            said = self._talk(opened, sheet, desk).say(asked)
        except ModelError as error:
            desk.note(f"{module}: reflection proposes nothing: {error}")
            return None
        patches, faults = _patches(said, sheet, desk.root)
        if not patches:
            desk.note(f"{module}: reflection proposes nothing: {faults[0]}")
            return None
        return Proposal(module, asking, patches, self.name, said.rationale, tape_named(self.home, tape_id))

    def _talk(self, opened: Opened, sheet: Sheet, desk: Desk) -> Talk[Written]:
        return Talk(
            model=Capped(opened.model, opened.price, self.limits, Spending()),
            label="reflect",
            system=SYSTEM,
            answer=answer_form(),
            kind=Written,
            check=lambda said: [] if (judged := _patches(said, sheet, desk.root))[0] else judged[1],
            max_output_tokens=MOST_OUTPUT_TOKENS,
        )


def reflection(workspace: Workspace, emit: Emit, choice: Choice) -> Reflection:
    """The proposer with the model of `choice`, its tapes in the workspace and vouched for by its ledger."""

    def open_tape(tape_id: str) -> Opened | None:
        source = vouched(choice.model, workspace.ledger) if choice.provider == "replay" else {}
        return open_model(
            choice,
            home=workspace.home,
            research_id=tape_id,
            emit=emit,
            vouched=vouched(tape_id, workspace.ledger),
            vouched_source=source,
        )

    return Reflection(open_tape, workspace.home, str(choice))


def tape_id_of(asked: str, voice: str) -> str:
    """The tape of a case and of who is asked. No seed: what came of an answer is in the next question, and an equal
    question costs nothing."""
    return f"reflection-{digest_json([SYSTEM, asked, voice])[:16]}"


def tape_named(home: Path, tape_id: str) -> str:
    """How a proposal names its tape: `ID:DIGEST`, the digest being that of its lines' digests, in order."""
    return f"{tape_id}:{digest_json([line_digest(exchange) for exchange in Tape(tape_path(home, tape_id))])}"


def tape_of(home: Path, named: str) -> Path | None:
    """The tape below a workspace's home that a proposal names, if it is still there as it was."""
    path = tape_path(home, named.partition(":")[0])
    return path if path.exists() and tape_named(home, path.stem) == named else None


def replay(tape: Path, sheet: Sheet, root: Path) -> tuple[Patch, ...]:
    """The patches that the last answer on a tape makes of `sheet`, as it stood when it was asked: no model, no key, no
    network. Raises TapeError for a tape that was altered; empty where it holds no answer that makes a patch."""
    for exchange in reversed(list(Tape(tape, ask_outside=False))):
        try:
            said = Written.model_validate_json(json_of(Reply.model_validate(exchange.reply).text))
        except ValidationError:
            continue  # the prices, or an answer that was sent back
        return _patches(said, sheet, root)[0]
    return ()


def _patches(said: Written, sheet: Sheet, root: Path) -> tuple[tuple[Patch, ...], list[str]]:
    """Every diff that becomes a patch, and why the others do not."""
    found: dict[str, Patch] = {}
    faults = []
    for number, text in enumerate(said.diffs, 1):
        try:
            patch = patch_of_diff(text, sheet, root)
        except RefusedError as error:
            faults.append(f"diff {number}: {error}")
            continue
        found[patch.digest] = patch
    return tuple(found.values()), faults
