"""Every trial pays.

1. The level of trial n depends on how many came before and which shipped, and on nothing else.
2. The same ablation submitted again is the same trial with its first level, and costs nobody anything.
3. Near-duplicates are trials of their own.
4. A combination of what earlier looks at its stage showed is charged for all that it could have been chosen from.
"""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from online_fdr.p_values import LordPlusPlus

from ablations.trials import (
    FALSE_DISCOVERY_RATE,
    FIRST_WEALTH,
    Asked,
    Trial,
    TrialBook,
    TrialError,
    charged,
    first_level,
    granted_level,
    next_level,
)
from traces.events import TrialRecorded


def gamma(j: int) -> float:
    """The sequence of Javanmard and Montanari (2018), as they give it."""
    return 0.07720838 * math.log(max(j, 2)) / (j * math.exp(math.sqrt(math.log(j))))


def reference(rejections: list[bool]) -> float:
    """LORD++ (Ramdas et al. 2017, equation 3), written out."""
    t = len(rejections) + 1
    hits = [i + 1 for i, r in enumerate(rejections) if r]
    level = FIRST_WEALTH * gamma(t)
    if hits:
        level += (FALSE_DISCOVERY_RATE - FIRST_WEALTH) * gamma(t - hits[0])
        level += FALSE_DISCOVERY_RATE * sum(gamma(t - h) for h in hits[1:])
    return level


@given(st.lists(st.booleans(), max_size=60))
def test_levels_are_those_of_the_paper(rejections: list[bool]) -> None:
    assert granted_level(rejections) == pytest.approx(reference(rejections), rel=1e-12)
    assert next_level(rejections) == min(granted_level(rejections), first_level())


def test_no_level_is_above_the_one_that_is_certified() -> None:
    assert granted_level([True] * 20) > first_level()
    assert next_level([True] * 20) == first_level()


def trial(trial_id: str, p: float | None = 0.5) -> TrialRecorded:
    tested = p is not None
    return TrialRecorded(
        trial_id=trial_id,
        family="ablation",
        subject="size/x",
        data_digest="d",
        p_value=p,
        level=1e-3 if tested else None,
        rejected=False if tested else None,
    )


@pytest.mark.parametrize(
    ("events", "trials"),
    [
        ([], 0),
        ([trial("a")], 1),
        ([trial("a"), trial("a"), trial("a")], 1),
        ([trial("a"), trial("b"), trial("a")], 2),
        ([trial("a", p=None)], 0),
        ([trial("a", p=None), trial("a")], 1),
        ([trial("a").model_copy(update={"family": "screen"}), trial("b")], 1),
    ],
)
def test_what_counts(events: list[TrialRecorded], trials: int) -> None:
    book = TrialBook.replay(events)
    assert len(book) == trials
    assert book.ticket("new").place == trials + 1


def test_resubmitting_buys_nothing() -> None:
    book = TrialBook([Trial("mine", first_level(), False)])
    before = book.ticket("new")
    for _ in range(50):
        book = TrialBook([*(Trial("mine", first_level(), False) for _ in range(50))])
        ticket = book.ticket("mine")
        assert (ticket.place, ticket.level, ticket.known) == (1, first_level(), True)
    assert book.ticket("new") == before


def test_near_duplicates_pay() -> None:
    levels = [TrialBook(Trial(f"{i}", 0.0, False) for i in range(n)).ticket("next").level for n in range(200)]
    assert levels[0] == first_level()
    assert all(b < a for a, b in pairwise(levels))
    assert sum(levels) < FIRST_WEALTH  # whatever is tried, the whole stream's chance of a false ship is bounded


def test_only_what_ships_earns() -> None:
    refused = TrialBook([Trial("a", 1e-3, False)]).ticket("b").level
    shipped = TrialBook([Trial("a", 1e-3, True)]).ticket("b").level
    assert shipped > refused


def test_a_ledger_that_contradicts_itself() -> None:
    with pytest.raises(TrialError, match="verify the ledger"):
        TrialBook.replay([trial("a").model_copy(update={"level": None})])


def library(rejections: list[bool]) -> float:
    """The same from online-fdr, trial by trial."""
    procedure = LordPlusPlus(alpha=FALSE_DISCOVERY_RATE, wealth=FIRST_WEALTH)
    for rejected in [*rejections, False]:
        procedure.test_one(0.0 if rejected else 1.0)
    assert procedure.last_test_level is not None
    return float(procedure.last_test_level)


@given(st.lists(st.booleans(), max_size=60))
def test_levels_are_those_of_the_library_to_the_last_bit(rejections: list[bool]) -> None:
    assert granted_level(rejections) == library(rejections)


def test_ten_thousand_trials_are_weighed_at_once() -> None:
    outcomes = [i % 3 == 0 for i in range(10_000)]
    begun = time.process_time()
    assert next_level(outcomes) == first_level()
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("past", "asked", "directions"),
    [
        ([], Asked("size/x", "d", 8), 1),
        ([("size/x", "d")], Asked("size/x", "d", 1), 1),
        ([("size/x", "d")], Asked("size/x", "d", 2), 2),
        ([("size/x", "d")], Asked("size/x", "d", 8), 2),
        ([("size/x", "d")] * 5, Asked("size/x", "d", 3), 3),
        ([("size/other", "d")], Asked("size/x", "d", 8), 2),  # another name for the module buys nothing
        ([("execute/x", "d")], Asked("size/x", "d", 8), 1),
        ([("execute/x", "d")], Asked("size/x+execute/x", "d", 8), 2),
        ([("size/x+execute/x", "d")], Asked("execute/y", "d", 8), 2),
        ([("size/x", "other")], Asked("size/x", "d", 8), 1),
        ([("size/x", "d")], None, 1),
        ([("size/x", "d")], Asked("size/x", "d", 0), 1),
    ],
)
def test_what_a_combination_is_charged_for(past: list[tuple[str, str]], asked: Asked | None, directions: int) -> None:
    book = TrialBook(Trial(f"{i}", 1e-3, False, *where) for i, where in enumerate(past))
    ticket = book.ticket("new", asked)
    assert ticket.directions == directions
    assert ticket.level == charged(book.ticket("new").level, directions)


def test_the_charge_is_that_of_scheffe() -> None:
    """The best combination of two effects: a circle's radius, whose tail is exp(-z^2 / 2)."""
    assert charged(1e-3, 0) == charged(1e-3, 1) == 1e-3
    z = math.sqrt(-2.0 * math.log(1e-3))
    assert charged(1e-3, 2) == pytest.approx(0.5 * math.erfc(z / math.sqrt(2.0)))
    falling = [charged(1e-3, d) for d in range(1, 12)]
    assert all(b < a for a, b in pairwise(falling))


def test_replay_knows_what_was_looked_at() -> None:
    book = TrialBook.replay([trial("a"), trial("b"), trial("b"), trial("c", p=None)])
    assert book.looks("size/x", "d") == book.looks("size/y", "d") == 2
    assert book.looks("clean/x", "d") == book.looks("size/x", "e") == 0
