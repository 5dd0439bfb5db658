"""Between the steps: what is found there, and what is never offered.

Invariants:
1. What is best of all that was looked at comes first; nothing that was given is lost.
2. No value is looked at twice, and none that has its verdict is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import pytest

from ablations.patch import Change, Patch
from supervisor.finding import Lever
from supervisor.proposers.rules import candidates
from supervisor.refine import ROUNDS, refined
from supervisor.screen import Screened, ranked

REVERSAL, SLUGGISH = "feature/reversal", 40


def bars(*values: int) -> tuple[Patch, ...]:
    """Averages over fewer bars than the forty in force."""
    return tuple(Patch(module=REVERSAL, changes={"smoothing_bars": Change(old=SLUGGISH, new=v)}) for v in values)


def value(patch: Patch) -> int:
    new = patch.changes["smoothing_bars"].new
    assert isinstance(new, int)
    return new


def never(patches: Sequence[Patch]) -> Sequence[Screened]:
    raise AssertionError(f"nothing is to be looked at, and {patches} is")


class Market:
    """What each value is worth, and every look that was asked for."""

    def __init__(self, worth: Callable[[int], float], broken: Callable[[int], bool] = lambda bars: False) -> None:
        self.worth, self.broken, self.looks = worth, broken, list[int]()

    def compare(self, patches: Sequence[Patch]) -> Sequence[Screened]:
        self.looks += [value(p) for p in patches]
        return ranked([self.seen(p) for p in patches])

    def seen(self, patch: Patch) -> Screened:
        worth = self.worth(value(patch))
        broken = ("turnover",) if self.broken(value(patch)) else ()
        return Screened(patch, worth + 0.1, worth, broken, excess=1.0 if broken else 0.0)


def search(market: Market, given: Sequence[Patch], judged: Sequence[Patch] = ()) -> list[Screened]:
    fresh = [p for p in given if p not in judged]
    found = refined(market.compare(fresh), given, market.compare, lambda patch: patch in judged)
    offered = {s.patch.digest for s in found}
    assert offered >= {p.digest for p in fresh}
    assert len(market.looks) == len(set(market.looks)) == len(found)
    assert len(market.looks) <= len(fresh) + 2 * ROUNDS
    assert not offered & {p.digest for p in judged}
    return found


@pytest.mark.parametrize("best", [1, 2, 4, 7, 11, 16, 23, 33])
def test_it_comes_near_to_what_is_best(best: int) -> None:
    """Wherever that lies, within a factor of one and a half of it."""
    market = Market(lambda bars: 2.0 - abs(log(bars / best)))
    found = search(market, bars(35, 30, 20, 11, 1))
    assert abs(log(value(found[0].patch) / best)) <= log(1.5)


def test_what_a_guard_forbids_is_approached_from_the_side_that_holds() -> None:
    market = Market(lambda bars: 1.0 / bars, lambda bars: bars < 4)
    found = search(market, bars(30, 20, 10, 1))
    assert found[0].promising and 4 <= value(found[0].patch) <= 5


def test_where_nothing_holds_the_side_of_the_gain_is_searched() -> None:
    """Every step loses or breaks a guard; between two of them lies one that does neither."""
    market = Market(lambda bars: 3.0 - bars if bars < 9 else -1.0, lambda bars: bars < 2)
    found = search(market, bars(30, 20, 10, 1))
    assert found[0].promising and value(found[0].patch) in (2, 3)


def test_what_has_its_verdict_is_gone_round() -> None:
    """The middle of a gap has one: the gap beyond it is halved, and the verdict is not asked for again."""
    market = Market(lambda bars: 2.0 - abs(log(bars / 2)))
    assert value(search(market, bars(30, 20, 10, 1), judged=bars(1, 3))[0].patch) == 4


@pytest.mark.parametrize(
    "given",
    [
        (),
        (Patch(module=REVERSAL, changes={"normalize": Change(old="rank", new="zscore")}),),
        (
            Patch(
                module=REVERSAL,
                changes={"smoothing_bars": Change(old=40, new=3), "winsor_limit": Change(old=0.0, new=0.1)},
            ),
        ),
    ],
)
def test_what_is_not_one_number_is_left_alone(given: tuple[Patch, ...]) -> None:
    compared = [Screened(p, 0.5, 0.3) for p in given]
    assert refined(compared, given, never, lambda patch: False) == compared


def test_losses_are_not_looked_at_more_closely() -> None:
    compared = [Screened(p, -0.1, -0.3) for p in bars(20, 1)]
    assert refined(compared, bars(20, 1), never, lambda patch: False) == compared


def test_the_end_of_time_ends_it() -> None:
    compared = [Screened(p, 0.5, 0.3) for p in bars(20, 1)]
    assert refined(compared, bars(20, 1), lambda patches: (), lambda patch: False) == compared


def test_every_step_of_the_rules_can_be_refined() -> None:
    """The candidates of rules are what this is for: each is one number."""
    found = candidates("size/rank_neutral", [Lever("no_trade_band", "raise"), Lever("smoothing_bars", "raise")])
    compared = [Screened(p, 0.5 + at / 10, 0.3 + at / 10) for at, p in enumerate(found)]
    looked: list[Patch] = []

    def compare(patches: Sequence[Patch]) -> Sequence[Screened]:
        looked.extend(patches)
        return [Screened(p, 0.2, 0.1) for p in patches]

    assert refined(compared, found, compare, lambda patch: False)[0] == compared[-1]
    assert looked and all(set(p.changes) == {"smoothing_bars"} for p in looked)
