"""From signals as a model wrote them to candidates: parsed, unit-checked, of fields that are there, none twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.drafters.model import forms, words
from harness.drafters.offline.candidates import draft_candidates, matching_skills
from harness.drafters.port import Because, Candidate, Draft, Reading, Refusal, Rejected, Revision, Spent
from harness.llm.cap import Capped
from harness.llm.port import ModelError, Reason
from harness.llm.talk import Talk
from modules.signal import Node, SignalError, format_signal, parse, signal_digest
from modules.signal.behaviour import agreement
from skills.registry import Skill

RECIPE = "the model's own"
EXAMPLES = 2
AGAINST = -0.5
"""Rank correlation with the recipes' signal, on the reference market, at which a candidate counts as upside down."""


@dataclass
class Work:
    """One request for candidates. `good` and `bad` grow as answers come, so that a limit loses nothing."""

    model: Capped
    skills: dict[str, Skill]
    reading: Reading
    fields: frozenset[str]
    k: int
    seed: int
    revision: Revision
    by: str
    good: dict[str, Candidate] = field(default_factory=dict)
    bad: dict[str, Rejected] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    mechanism: str | None = None
    needs: tuple[str, ...] = ()

    def judge(self, said: forms.SaidCandidates) -> list[str]:
        """Take what is good of an answer; what is wrong with the rest, in sentences for the model."""
        self.mechanism = said.mechanism or self.mechanism
        self.needs = said.needs_fields
        faults = [fault for c in said.candidates if len(self.good) < self.k for fault in self._take(c)]
        if not said.candidates and not said.needs_fields and not self.good:
            faults.append("candidates: none; write at least one, or name in needs_fields what the data lack")
        return faults if len(self.good) < self.k else []

    def _take(self, said: forms.SaidCandidate) -> list[str]:
        try:
            node = parse(said.expr, self.fields)
        except SignalError as error:
            known = f"; in the language, recipes say it as {format_signal(self._reference)}" if self._reference else ""
            return [fault + known for fault in self._refuse(said, str(error))]
        against = self._against(node)
        if against is not None:
            return self._refuse(said, against)
        digest = signal_digest(node)
        if digest in self.revision.tried:
            return self._refuse(said, "it was tried before; write another")
        skill = said.skill if said.skill in self.skills else forms.NO_SKILL
        read = " (read in full)" if skill in self.read else ""
        self.good.setdefault(
            digest,
            Candidate(
                expr=format_signal(node),
                skill=skill,
                recipe=RECIPE,
                why=(said.why, f"read: {', '.join(self.reading.phrases)}", f"skill {skill}{read}", self.by),
                digest=digest,
                because=Because(phrases=self.reading.phrases, skills=() if skill == forms.NO_SKILL else (skill,)),
            ),
        )
        self.bad.pop(said.expr, None)
        return []

    def _against(self, node: Node) -> str | None:
        """Whether the signal points against the claim: a right idea with a wrong sign tests another claim."""
        reference = self._reference
        found = agreement(reference, node) if reference is not None else None
        if reference is None or found is None or found > AGAINST:
            return None
        return (
            f"it points against the claim: on a reference market it orders stocks against {format_signal(reference)}"
            f" (rank correlation {found:.2f}); turn its sign, or say the claim otherwise"
        )

    @cached_property
    def _reference(self) -> Node | None:
        """The first of the recipes' signals: the way that the claim points."""
        return parse(self.recipes[0]) if self.recipes else None

    @cached_property
    def recipes(self) -> tuple[str, ...]:
        """What the skills' recipes make of the same reading; none where no skill matches it."""
        known = tuple(self.skills.values())
        if not matching_skills(self.reading, known):
            return ()
        return tuple(c.expr for c in draft_candidates(self.reading, known, self.fields, EXAMPLES).candidates)

    def _refuse(self, said: forms.SaidCandidate, reason: str) -> list[str]:
        self.bad[said.expr] = Rejected(expr=said.expr, skill=said.skill, reason=reason)
        return [f"{said.expr!r}: {reason}"]

    def read_skill(self, arguments: object) -> str:
        """The body of the skill that a model asked for."""
        name = arguments.get("name") if isinstance(arguments, dict) else None
        if not isinstance(name, str) or name not in self.skills:
            return f"there is no skill {str(name)[:64]!r}; the list of skills is above"
        if name not in self.read:
            self.read.append(name)
        return self.skills[name].body


def sift(work: Work, others: Sequence[tuple[str, frozenset[str]]]) -> Draft:
    """Ask for candidates until there are enough, the model has no more, or a limit is reached.

    Raises ModelError where the model cannot be reached or gives no usable answer at all; what a limit cuts off ends
    in `stopped`, with what was ready.
    """
    names = sorted(work.skills)
    talk = Talk(
        model=work.model,
        label=f"draft/{len(work.revision.tried)}",
        system=words.draft_system([work.skills[n] for n in names]),
        answer=forms.draft_form(sorted(work.fields), names, work.k),
        kind=forms.SaidCandidates,
        check=work.judge,
        tools={
            "read_skill": (words.read_skill_tool(names), work.read_skill),
            "explain_operators": (words.explain_operators_tool(), words.explained),
        },
        seed=work.seed,
    )
    stopped: str | None = None
    try:
        talk.say(words.claim(work.reading, sorted(work.fields), work.k, work.revision, work.recipes))
    except ModelError as error:
        if error.reason is not Reason.BUDGET and not (error.reason is Reason.MALFORMED and work.good):
            raise
        stopped = str(error)
    return _draft(work, others, stopped)


def _draft(work: Work, others: Sequence[tuple[str, frozenset[str]]], stopped: str | None) -> Draft:
    names = sorted({*work.read, *(c.skill for c in work.good.values())} - {forms.NO_SKILL})
    spent = work.model.spent
    draft = Draft(
        reading=work.reading,
        candidates=tuple(work.good.values()),
        rejected=tuple(work.bad.values()),
        skills={name: work.skills[name].digest for name in names},
        mechanism=work.mechanism,
        spent=Spent(calls=spent.calls, tokens=spent.tokens, cost_usd=spent.cost_micro_usd / 1e6, seconds=spent.seconds),
        stopped=stopped,
    )
    lacking = sorted(set(work.needs) - work.fields)
    if work.good or stopped or not lacking or work.revision.tried:
        return draft
    having = [name for name, has in others if set(lacking) <= has]
    remedy = (
        f"{', '.join(having)} has it: use --data {having[0]}" if having else f"add a data set with {', '.join(lacking)}"
    )
    message = f"the model finds no signal for this claim without {', '.join(lacking)}, which these data lack; {remedy}"
    return draft.model_copy(update={"refusal": Refusal(reason="missing_field", message=message)})
