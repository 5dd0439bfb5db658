"""Thresholds of likeness: how they are read off pairs, and that the ones in force belong to today's library."""

from __future__ import annotations

import pytest

from modules.feature.calibrate import equal_error, library_digest, relatives
from modules.feature.library import find
from modules.signal import format_signal, parse
from modules.signal.likeness import likeness, nearest, thresholds

TABLES = [
    ("apart", [0.8, 0.9, 1.0], [0.1, 0.2, 0.3], 0.0, 0.0),
    ("one of four each way", [0.4, 0.8, 0.9, 1.0], [0.1, 0.2, 0.3, 0.85], 0.25, 0.25),
    ("the same", [0.5, 0.5], [0.5, 0.5], 0.0, 1.0),
]


@pytest.mark.parametrize(("same", "different", "missed", "alarms"), [t[1:] for t in TABLES], ids=[t[0] for t in TABLES])
def test_equal_error(same: list[float], different: list[float], missed: float, alarms: float) -> None:
    found = equal_error(same, different)
    assert (found.missed, found.false_alarms) in ((missed, alarms), (alarms, missed))
    assert (found.same, found.different) == (len(same), len(different))
    assert sum(s < found.threshold for s in same) / len(same) == found.missed
    assert sum(d >= found.threshold for d in different) / len(different) == found.false_alarms


def test_thresholds_belong_to_the_library() -> None:
    assert thresholds().library == library_digest(), "the library changed: run `python -m modules.feature.calibrate`"


def test_thresholds_tell_apart() -> None:
    limits = thresholds()
    for limit in (limits.structural, limits.behavioural):
        assert 0.3 < limit.threshold < 0.95
        assert max(limit.missed, limit.false_alarms) < 0.1
        assert limit.same > 1_000 and limit.different > 10_000


def test_relatives_are_other_writings_of_one_idea() -> None:
    texts = [format_signal(n) for n in relatives(parse("returns(delay(close, 21), 231)"))]
    assert texts == [
        "-returns(delay(close, 21), 231)",
        "rank(returns(delay(close, 21), 231))",
        "ts_mean(returns(delay(close, 21), 231), 2)",
        "returns(delay(close, 24), 255)",
    ]
    assert len(relatives(parse("close / open"))) == 3


ALIKE = [
    ("rev_mean_20", "MA20", True),
    ("mom_12_1", "mom_9_1", True),
    ("mom_12_1", "rev_5", False),
    ("vol_60", "vol_parkinson_20", True),
    ("volume_trend_5_60", "vol_60", False),
]


@pytest.mark.parametrize(("a", "b", "same"), ALIKE)
def test_same_idea(a: str, b: str, same: bool) -> None:
    assert likeness(find(a).node, find(b).node).same_idea is same


def test_trees_speak_where_behaviour_cannot() -> None:
    a, b = parse("rank(earnings / market_cap)"), parse("zscore(earnings / market_cap)")
    found = likeness(a, b)
    assert found.behavioural is None and found.score == found.structural and found.same_idea
    assert not likeness(a, parse("ts_std(returns(close, 1), 20)")).same_idea


def test_nearest() -> None:
    others = [("week", parse("returns(close, 5)")), ("year", parse("returns(close, 250)"))]
    found = nearest(parse("rank(-returns(close, 6))"), others)
    assert found is not None and found[0] == "week" and found[1].same_idea
    assert nearest(parse("close / open"), []) is None
