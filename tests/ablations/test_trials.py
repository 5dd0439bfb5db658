"""Every trial pays.

1. The level of trial n depends on how many came before and which shipped, and on nothing else.
2. The same ablation submitted again is the same trial with its first level, and costs nobody anything.
3. Near-duplicates are trials of their own.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.trials import (
    FALSE_DISCOVERY_RATE,
    FIRST_WEALTH,
    Trial,
    TrialBook,
    TrialError,
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
