"""The drafter that asks a language model, whichever it is. What it says is checked by the grammar and the parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from harness.drafters.model import forms, words
from harness.drafters.model.candidates import Work, sift
from harness.drafters.model.reading import doubt, draft_of, faults_of
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Allowance, Answered, Draft, Reading, Refusal, Revision, Spent
from harness.llm.cap import Capped, Limits, Spending
from harness.llm.choice import Opened
from harness.llm.port import ModelError, Reason
from harness.llm.talk import Talk
from modules.signal.calendar import CALENDAR_FIELDS
from skills.drafting import Drafting
from skills.registry import Skill, drafting_skills, skills

MAX_TEXT = 2_000


@dataclass(frozen=True)
class ModelDrafter:
    """Fills the drafter port by asking `opened`. Equal arguments give equal drafts: every call is on the tape."""

    opened: Opened
    known: tuple[Skill, ...] = field(default_factory=skills)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.opened.model.name

    @property
    def cutoff(self) -> date | None:
        """The last day that the model can have been trained on; None where nobody says."""
        return self.opened.cutoff

    @cached_property
    def _drafting(self) -> tuple[tuple[Skill, Drafting], ...]:
        return drafting_skills(self.known)

    @cached_property
    def _events(self) -> Mapping[str, Drafting]:
        found: dict[str, Drafting] = {}
        for _, drafting in sorted(self._drafting, key=lambda pair: (-pair[1].prefer, pair[0].name)):
            found.setdefault(drafting.event, drafting)
        return dict(sorted(found.items()))

    def specify(
        self, text: str, *, seed: int, answers: Sequence[Answered] = (), allowance: Allowance | None = None
    ) -> Draft:
        """See `Drafter.specify`. A reading that the grammar contradicts is a question."""
        if len(text) > MAX_TEXT:
            message = f"the hypothesis has {len(text)} characters; at most {MAX_TEXT} are read: say it in a sentence"
            return Draft(refusal=Refusal(reason="too_long", message=message))
        whole = text if not answers else f"{text} ({'; '.join(a.answer for a in answers)})"
        model = self._capped(allowance)
        talk = Talk(
            model=model,
            label="specify",
            system=words.specify_system(self._events),
            answer=forms.specify_form(tuple(self._events)),
            kind=forms.Said,
            check=lambda said: faults_of(said, whole, self._events),
            max_output_tokens=6_000,
            seed=seed,
        )
        try:
            said = talk.say(words.hypothesis(text, answers))
        except ModelError as error:
            if error.reason is not Reason.BUDGET:
                raise
            return Draft(stopped=str(error), spent=_spent(model.spent))
        faults = faults_of(said, whole, self._events)
        if faults:
            raise ModelError(
                Reason.MALFORMED, f"{self.name}: specify: {faults[0]}; it was told and did not mend it; reword the text"
            )
        found = draft_of(said, whole, self._events)
        if found.reading is not None and not answers:
            other = OfflineDrafter(self.known).read(text)
            question = doubt(found.reading, other if isinstance(other, Reading) else None, self.name)
            if question is not None:
                found = Draft(question=question)
        return found.model_copy(update={"spent": _spent(model.spent)})

    def draft(
        self,
        claim: str | Reading,
        *,
        fields: frozenset[str],
        others: Sequence[tuple[str, frozenset[str]]],
        k: int,
        seed: int,
        revision: Revision | None = None,
        allowance: Allowance | None = None,
    ) -> Draft:
        """See `Drafter.draft`. A limit that is reached ends the work with what is ready by then."""
        if isinstance(claim, str):
            specified = self.specify(claim, seed=seed, allowance=allowance)
            if specified.reading is None:
                return specified
            claim = specified.reading
        work = Work(
            model=self._capped(allowance),
            skills={s.name: s for s, _ in self._drafting},
            reading=claim,
            fields=fields | frozenset(CALENDAR_FIELDS),
            k=k,
            seed=seed,
            revision=revision or Revision(),
            by=self._signed(),
        )
        return sift(work, others)

    def _capped(self, allowance: Allowance | None) -> Capped:
        may = allowance or Allowance()
        limits = Limits(may.calls, may.tokens, round(may.cost_usd * 1e6), may.seconds)
        return Capped(self.opened.model, self.opened.price, limits, Spending())

    def _signed(self) -> str:
        until = f"trained on data until {self.cutoff}" if self.cutoff else "nobody states until when it was trained"
        return f"drafted by {self.name} ({until})"


def _spent(spending: Spending) -> Spent:
    return Spent(
        calls=spending.calls,
        tokens=spending.tokens,
        cost_usd=spending.cost_micro_usd / 1e6,
        seconds=spending.seconds,
    )
