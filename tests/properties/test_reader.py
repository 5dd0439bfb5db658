"""The offline reader on whatever it is given.

1. Any text gets a reading, a question or a refusal; nothing is raised.
2. The same text gets the same answer.
3. No text takes long: patterns do not blow up on repetition.
4. A reading names words of the text, and an event that some skill measures.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.offline.words import tokens
from harness.drafters.port import Question, Reading, Refusal
from skills.registry import drafting_skills
from tests.harness.hypotheses import load

DRAFTER = OfflineDrafter.of_checkout()
EVENTS = {d.event for _, d in drafting_skills(DRAFTER.known)}
SECONDS = 2.0
WORDS = sorted({word for rows in load("read.yaml").values() for row in rows for word in row["text"].split()})

salad = st.lists(st.sampled_from(WORDS), min_size=1, max_size=24).map(" ".join)
anything = st.one_of(salad, st.text(max_size=80), st.tuples(salad, st.text(max_size=10)).map("".join))


@settings(max_examples=60, deadline=None)
@given(anything)
def test_any_text_gets_one_answer(text: str) -> None:
    answer = DRAFTER.read(text)
    assert isinstance(answer, Reading | Question | Refusal)
    assert DRAFTER.read(text) == answer
    if isinstance(answer, Reading):
        assert answer.event in EVENTS
        assert answer.phrases
        said = {token.text for token in tokens(text)}
        assert all(set(phrase.split()) & said for phrase in answer.phrases)


@pytest.mark.parametrize(
    "piece",
    [
        "the ", "the more ", "because ", "investors ", "as ", "stocks that fell ", "a, ", "the higher the a, ", "not ",
        "within 5 percent of ", "1 month ago to ", "the most many some all ", "high low ", "volume and ", "9", "(", "'",
        "losers: ", "correlation between ", "top ", "twice its ",
    ],
)  # fmt: skip
def test_repetition_takes_no_longer(piece: str) -> None:
    text = (piece * 600)[:600]
    began = time.process_time()
    DRAFTER.read(text)
    assert time.process_time() - began < SECONDS
