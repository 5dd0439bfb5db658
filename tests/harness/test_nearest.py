"""What a text that is not understood is offered: claims that can be read, never taken on their own."""

from __future__ import annotations

import pytest

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.offline.nearest import OFFERED, example_of
from harness.drafters.port import Answered, Reading
from skills.registry import drafting_skills

DRAFTER = OfflineDrafter.of_checkout()


def test_nearly_every_skill_has_a_sentence_that_is_read_as_it() -> None:
    without = {s.name for s, _ in drafting_skills(DRAFTER.known) if example_of(s, DRAFTER.known) is None}
    assert without <= {"short-continuation"}  # a window tells it from momentum, and a sentence of no window cannot


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("crashes are remembered", "negative skew"),
        ("the spread of a share tells its future", "effective spread"),
        ("something about lottery tickets", "maximum daily return"),
    ],
)
def test_the_nearest_claims_are_offered_and_can_be_read(text: str, among: str) -> None:
    question = DRAFTER.specify(text, seed=0).question
    assert question is not None
    assert 1 <= len(question.defaults) <= OFFERED
    assert any(among in offered for offered in question.defaults), question.defaults
    for offered in question.defaults:
        assert isinstance(DRAFTER.read(offered), Reading), offered
        answered = Answered(question=question.question, answer=offered, by="researcher")
        settled = DRAFTER.specify(text, seed=0, answers=(answered,)).reading
        assert settled is not None and settled.text == offered


def test_no_shared_word_offers_what_the_question_had() -> None:
    question = DRAFTER.specify("asdf qwer zxcv", seed=0).question
    assert question is not None and "nearest" not in question.question


def test_the_reason_is_kept_apart_and_sources_agree_with_the_claim() -> None:
    text = "Because investors overreact, last week's losers bounce back"
    assert DRAFTER.specify(text, seed=0).mechanism == "investors overreact"
    made = DRAFTER.draft(text, fields=frozenset({"close"}), others=(), k=1, seed=0)
    because = made.candidates[0].because
    assert because.phrases == ("last week", "losers", "bounce back")
    assert because.skills == ("short-term-reversal: plain",)
    assert because.sources
