"""The offline drafter: reads, matches skills, fills recipes. Equal arguments give equal drafts, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.drafters.offline.answers import settled
from harness.drafters.offline.candidates import MADE_HERE, draft_candidates, gate_of, matching_skills
from harness.drafters.offline.mechanism import without_reason
from harness.drafters.offline.reading import read
from harness.drafters.offline.sentence import EXAMPLES, RELATIVE, SECTOR
from harness.drafters.port import Allowance, Answered, Draft, Question, Reading, Refusal, Revision
from modules.signal.calendar import CALENDAR_FIELDS
from skills.drafting import Drafting
from skills.registry import Skill, skills

_NO_SECTORS = "the data name no sectors: the return is measured against all stocks"


@dataclass(frozen=True)
class OfflineDrafter:
    """Fills the drafter port from these skills alone."""

    known: tuple[Skill, ...]
    name: str = "offline"

    @classmethod
    def of_checkout(cls) -> OfflineDrafter:
        """With the skills of this checkout."""
        return cls(skills())

    def read(self, text: str) -> Reading | Question | Refusal:
        """What the text claims, without drafting anything; a condition that no skill can gate is a question."""
        answer = read(text, self.known)
        if not isinstance(answer, Reading):
            return answer
        for condition in answer.conditions:
            if condition.event not in MADE_HERE and gate_of(condition, self.known)[0] is None:
                return Question(
                    question=f"I cannot use '{condition.phrase}' as a condition. Shall I test the claim without it?",
                    defaults=("without it",),
                )
        matched = matching_skills(answer, self.known)
        if not matched:
            return Question(question=f"No skill measures '{answer.event}'. Which price or volume event do you mean?")
        if answer.threshold is not None and not matched[0][1].fraction:
            return Question(
                question=f"A size in percent says nothing of {matched[0][1].about}. Shall I test the claim without it?",
                defaults=("without it",),
            )
        if answer.horizon_bars == 1 and all(d.horizon_bars.low > 1 for _, d in matched):
            return _no_recipe(answer, matched[0][1])  # of one bar, such a measure is a constant
        return answer

    def _offering(self, question: Question, text: str) -> Question:
        """A question that has no answers of its own offers the claims nearest to the text."""
        from harness.drafters.offline.nearest import with_nearest  # the index takes a second to import

        return with_nearest(question, text, self.known) if question.defaults in ((), EXAMPLES) else question

    def specify(
        self, text: str, *, seed: int, answers: Sequence[Answered] = (), allowance: Allowance | None = None
    ) -> Draft:
        """See `Drafter.specify`. Spends nothing."""
        said = settled(text, answers, self.read)
        answer = self.read(said)
        if isinstance(answer, Question):
            return Draft(question=self._offering(answer, said))
        if isinstance(answer, Refusal):
            return Draft(refusal=answer)
        reason = without_reason(said).reason
        return Draft(
            reading=answer, mechanism=reason, skills={s.name: s.digest for s, _ in matching_skills(answer, self.known)}
        )

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
        """See `Drafter.draft`. `seed` has nothing to decide here: the order of candidates is fixed by fit."""
        answer = self.read(claim) if isinstance(claim, str) else claim
        if isinstance(answer, Question):
            return Draft(question=self._offering(answer, str(claim)))
        if isinstance(answer, Refusal):
            return Draft(refusal=answer)
        tried = frozenset(revision.tried) if revision else frozenset()
        drafted = draft_candidates(answer, self.known, fields | frozenset(CALENDAR_FIELDS), k, tried)
        if not drafted.candidates and drafted.missing == {"sector"} and answer.event == SECTOR:
            answer = answer.model_copy(update={"event": RELATIVE, "assumptions": (*answer.assumptions, _NO_SECTORS)})
            drafted = draft_candidates(answer, self.known, fields | frozenset(CALENDAR_FIELDS), k, tried)
        if drafted.candidates:
            return Draft(
                reading=answer, candidates=drafted.candidates, rejected=drafted.rejected, skills=dict(drafted.skills)
            )
        if tried:
            return Draft(reading=answer, rejected=drafted.rejected, skills=dict(drafted.skills))  # no more to offer
        if not drafted.missing:
            return Draft(question=_no_recipe(answer, matching_skills(answer, self.known)[0][1]))
        lacking = ", ".join(sorted(drafted.missing))
        having = [name for name, has in others if drafted.missing <= has]
        remedy = f"{', '.join(having)} has it: use --data {having[0]}" if having else f"add a data set with {lacking}"
        return Draft(
            reading=answer,
            refusal=Refusal(
                reason="missing_field",
                message=f"every signal for this claim needs {lacking}, which these data lack; {remedy}",
            ),
            rejected=drafted.rejected,
            skills=dict(drafted.skills),
        )


def _no_recipe(reading: Reading, drafting: Drafting) -> Question:
    span = drafting.horizon_bars
    short = next((c for c in reading.conditions if c.window_bars == 1), None)
    if short is not None and span.low <= (reading.horizon_bars or span.default) <= span.high:
        return Question(
            question=f"The condition '{short.phrase}' measures nothing over 1 bar. Shall I test the claim without it?",
            defaults=("without it",),
        )
    return Question(
        question=f"No recipe measures {drafting.about} over {reading.horizon_bars or span.default} bars; "
        f"it takes {span.low} to {span.high}. Which window do you mean?",
        defaults=(f"{span.default} days",),
    )
