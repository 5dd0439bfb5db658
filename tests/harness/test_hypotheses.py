"""Hypotheses in many voices (`hypotheses/*.yaml`), read as a careful reader reads them.

1. Of what can be read, most is read; what is read has the event, sign, windows and gates of a careful reader.
2. What cannot be tested as it stands is asked or refused, never turned into a signal.
3. Being confidently wrong is the worst outcome: no sentence of the sets is.
4. docs/hypotheses.md shows what is read now, and at least 100 hypotheses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drafters.offline.drafter import OfflineDrafter
from tests.harness.hypotheses import HANDS, draft, is_read, load, mistakes
from tests.harness.hypotheses.table import page, signals, verdicts_on

DRAFTER = OfflineDrafter.of_checkout()
PAGE = Path(__file__).resolve().parents[2] / "docs" / "hypotheses.md"
RENEW = "renew the page: python -m tests.harness.hypotheses > docs/hypotheses.md"
READ = load("read.yaml")
ASKED = load("asked.yaml")


@pytest.mark.parametrize("kind", READ)
def test_read_as_a_careful_reader_does(kind: str) -> None:
    answers = [(row, draft(DRAFTER, row["text"])) for row in READ[kind]]
    wrong = {
        row["text"]: found
        for row, made in answers
        if made.reading is not None and is_read(made) and (found := mistakes(row, made.reading))
    }
    assert not wrong
    share = sum(is_read(made) for _, made in answers) / len(answers)
    assert share >= 0.8, [row["text"] for row, made in answers if not is_read(made)]


@pytest.mark.parametrize("kind", ASKED)
def test_never_confidently_wrong(kind: str) -> None:
    read = {text: made.reading for text in ASKED[kind] if is_read(made := draft(DRAFTER, text))}
    assert not read


def test_hands_are_kinds() -> None:
    assert set(HANDS) <= set(READ) & set(ASKED)


def without_verdict(text: str) -> list[str]:
    return [line.rsplit("|", 2)[0] if line.startswith("| ") else line for line in text.splitlines()]


def test_the_page_shows_what_is_read_now() -> None:
    assert without_verdict(PAGE.read_text(encoding="utf-8")) == without_verdict(page(DRAFTER, {})), RENEW


def test_the_page_shows_a_hundred_hypotheses() -> None:
    shown = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "`" in line]
    assert len(shown) >= 100
    assert not [line for line in shown if line.endswith("not measured |")]


@pytest.mark.slow
def test_the_page_shows_the_verdicts_of_the_data() -> None:
    from tests.harness.hypotheses.__main__ import discovery_bars

    assert PAGE.read_text(encoding="utf-8") == page(DRAFTER, verdicts_on(discovery_bars(), signals(DRAFTER))), RENEW
