"""Search over declared bounds, on mining data whose truth is a formula.

Invariants:
1. Equal ledgers, findings and seeds give equal points; another seed gives others.
2. Every point lies within the declared bounds, and every look is bounded in number and in time.
3. What the judge measured moves no point: only the *values* that were judged are looked at.
4. A look of before costs nothing again, and a setting that a patch does not need is not in it.
"""

from __future__ import annotations

import pytest

from ablations.patch import Change, Patch, patched_settings
from modules.registry import read_settings
from supervisor.bounds import choices
from supervisor.finding import Lever
from supervisor.proposers.points import MOST_AXES, Space
from supervisor.proposers.port import Proposer
from supervisor.proposers.rules import Rules
from supervisor.proposers.search import Search
from supervisor.screen import patch_of
from tests.supervisor.conftest import CLEAN, SIZE
from tests.supervisor.proposers.desks import Formula, Formulas, finding, judged
from traces.events import Event

BAND = Lever("no_trade_band", "raise")


def hill(values: dict[str, object]) -> float:
    """Best at a band of 0.031 and 14 bars together, worse than the settings in force far from it."""
    band, bars = values["no_trade_band"], values["smoothing_bars"]
    assert isinstance(band, float) and isinstance(bars, int)
    return 0.5 - 20 * abs(band - 0.031) - 0.03 * abs(bars - 14)


def test_it_finds_what_needs_two_settings_at_once() -> None:
    mining = Formulas(hill)
    proposal = Search(looks=40).propose(SIZE, [finding(SIZE, BAND)], mining.desk(module=SIZE))
    assert proposal is not None and proposal.proposer == "search"
    best = proposal.candidates[0]
    assert set(best.changes) == {"no_trade_band", "smoothing_bars"}  # 4: gross_leverage and caps do nothing
    assert hill({**mining.in_force, **best.new_values()}) > 0.2
    single = max(hill({**mining.in_force, "no_trade_band": 0.031}), hill({**mining.in_force, "smoothing_bars": 14}))
    assert hill({**mining.in_force, **best.new_values()}) > single + 0.1  # what no single step reaches


def test_a_second_setting_that_adds_little_is_left_out() -> None:
    """4: what it adds is less than what the gate charges for it. Nothing else is proposed beside, or whoever ranks by
    what mining data say would take the fuller one after all."""

    def nearly(values: dict[str, object]) -> float:
        band, bars = values["no_trade_band"], values["smoothing_bars"]
        assert isinstance(band, float) and isinstance(bars, int)
        return 0.5 - 20 * abs(band - 0.031) + 0.002 * bars

    mining = Formulas(nearly)
    proposal = Search(looks=40).propose(SIZE, [finding(SIZE, BAND)], mining.desk(module=SIZE))
    assert proposal is not None
    [best] = proposal.candidates
    assert set(best.changes) == {"no_trade_band"}


def test_what_is_left_of_it_has_its_verdict_and_is_not_sent_in_disguise() -> None:
    """A setting that moves no bit makes another patch of what was judged, and no other question."""

    def band_alone(values: dict[str, object]) -> float:
        band = values["no_trade_band"]
        assert isinstance(band, float)
        return 0.5 if band >= 0.03 else 0.3 if band >= 0.01 else 0.0

    mining = Formulas(band_alone)
    first = Search(looks=30).propose(SIZE, [finding(SIZE, BAND)], mining.desk(module=SIZE))
    assert first is not None
    past: list[Event] = []
    for at in range(3):
        again = Search(looks=30).propose(SIZE, [finding(SIZE, BAND)], mining.desk(past, module=SIZE))
        if again is None:
            break
        [patch] = again.candidates
        assert set(patch.changes) == {"no_trade_band"}
        past += judged(patch, f"a{at}", "GUARD(turnover)")
    assert len(past) >= 4


def test_equal_seeds_give_equal_points_and_others_others() -> None:
    runs = []
    for seed in (1, 1, 2):
        mining = Formulas(hill)
        Search(looks=12).propose(SIZE, [], mining.desk(module=SIZE, seed=seed))
        runs.append([look.patch_digest for look in mining.looks])
    assert runs[0] == runs[1] != runs[2]


def test_every_point_is_within_bounds_and_the_looks_are_counted() -> None:
    mining = Formulas(lambda values: -1.0)
    for _ in range(4):
        assert Search(looks=10, most_looks=15).propose(CLEAN, [], mining.desk(module=CLEAN)) is None
    assert len(mining.looks) == 15
    in_force = read_settings("clean", "quality")
    for look in mining.looks:
        patch = patch_of(look)
        assert patch is not None
        patched_settings(patch, in_force)


@pytest.mark.parametrize("delta", [-3.0, 0.0, 5.0, None])
def test_what_the_judge_measured_moves_no_point(delta: float | None) -> None:
    past = Patch(module=SIZE, changes={"no_trade_band": Change(old=0.0, new=0.017)})
    looks = []
    for figure, reason in ((0.1, "NOT_BETTER"), (delta, "" if delta else "GUARD(turnover)")):
        mining = Formulas(hill)
        Search(looks=8).propose(SIZE, [], mining.desk(judged(past, "a", reason, delta=figure), module=SIZE))
        looks.append([look.patch_digest for look in mining.looks])
    assert looks[0] == looks[1]
    assert past.digest in looks[0]  # but it is where the search looks first


def test_a_search_goes_on_where_the_last_one_ended() -> None:
    mining = Formulas(hill)
    search = Search(looks=10)
    first = search.propose(SIZE, [], mining.desk(module=SIZE))
    before = [look.patch_digest for look in mining.looks]
    search.propose(SIZE, [], mining.desk(module=SIZE))
    after = [look.patch_digest for look in mining.looks]
    assert first is not None
    assert after[: len(before)] == before and len(set(after)) == len(after) > len(before)


def test_what_was_judged_is_not_proposed_again() -> None:
    mining = Formulas(hill)
    search = Search(looks=10, most_looks=10)
    first = search.propose(SIZE, [], mining.desk(module=SIZE))
    assert first is not None
    events = [e for n, p in enumerate(first.candidates) for e in judged(p, f"a{n}", "NOT_SIGNIFICANT")]
    again = search.propose(SIZE, [], mining.desk(events, module=SIZE))
    digests = {p.digest for p in first.candidates}
    assert again is None or not digests & {p.digest for p in again.candidates}


@pytest.mark.parametrize(
    "formula", [lambda values: None, lambda values: -0.1, lambda values: 0.005], ids=["idle", "worse", "unsure"]
)
def test_nothing_better_proposes_nothing(formula: Formula) -> None:
    assert Search(looks=6).propose(SIZE, [finding(SIZE, BAND)], Formulas(formula).desk(module=SIZE)) is None


def test_no_time_makes_no_look() -> None:
    mining = Formulas(hill)
    assert Search().propose(SIZE, [], mining.desk(module=SIZE, seconds=-1.0)) is None
    assert mining.looks == []


@pytest.mark.parametrize("module", ["skills/trend", "skills", "nowhere/x"])
def test_what_has_no_settings_is_not_searched(module: str) -> None:
    mining = Formulas(hill)
    assert Search().propose(module, [], mining.desk(module=SIZE)) is None


def test_the_world_is_not_searched() -> None:
    """A kinder market, or another way to read a file, is no improvement."""
    for module in ("execute/next_bar", "backtest/bars", "ingest/files", "ingest/sample"):
        space = Space.of(module, [], Formulas(hill).desk(module=SIZE))
        assert not {"half_spread_bps", "capital_usd", "layout", "fill_without_open", "dataset"} & set(space.axes)
        assert space.options == {}


@pytest.mark.parametrize("proposer", [Rules(), Search(looks=6)], ids=lambda p: p.name)
def test_what_measures_is_not_moved(proposer: Proposer) -> None:
    """Leaving small orders out of the backtest lifts what it says, and no trade is another."""
    module = "backtest/bars"
    mining = Formulas(lambda values: 1.0)
    found = [finding(module, Lever("min_order_usd", "raise"))]
    assert proposer.propose(module, found, mining.desk(module=module)) is None
    assert mining.looks == []


def test_choices_are_texts_and_switches_without_assumptions() -> None:
    rules = {
        "a": {"enum": ["x", "y"]},
        "b": {"type": "boolean"},
        "c": {"enum": ["only"]},
        "d": {"enum": ["x", "y"], "assumption": True},
        "e": {"type": "string"},
    }
    assert choices({"properties": rules}) == {"a": ("x", "y"), "b": (False, True)}
    assert choices({}) == {}


def test_findings_choose_the_axes_first() -> None:
    space = Space.of(CLEAN, [finding(CLEAN, Lever("stale_run_bars", "raise"))], Formulas(hill).desk(module=CLEAN))
    assert space.axes[0] == "stale_run_bars" and len(space.axes) == MOST_AXES
    assert {"spike_action", "stale_action"} & set(space.axes) or len(space.bounds) == MOST_AXES
