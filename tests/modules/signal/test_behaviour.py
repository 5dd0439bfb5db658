"""Signals that behave alike, whatever they look like.

1. In [0, 1], symmetric, and 1 for a signal against itself, its mirror image, and any rising function of it.
2. What has nothing to do with each other is near 0, and a stranger on another market is no nearer.
3. What the reference market cannot judge is None, never a number.
4. A signal that is silent on most days is not like one that speaks on all of them; two silent on the same days are.
5. The reference market has the same bits everywhere, and is a market: ordered prices, clustered volatility.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from modules.canonical import digest_panel
from modules.signal import parse
from modules.signal.behaviour import behavioural_similarity, behaviours
from modules.signal.referencepanel import reference_panel

SAME = [
    ("returns(close, 20)", "-returns(close, 20)"),
    ("returns(close, 20)", "rank(returns(close, 20))"),
    ("returns(close, 20)", "log_returns(close, 20)"),
    ("returns(close, 20)", "close / delay(close, 20)"),
    ("zscore(volume / ts_mean(volume, 20))", "2 * volume / ts_mean(volume, 20) - 1"),
]
NEAR = [
    ("returns(close, 20)", "returns(close, 21)", 0.9, 0.99),
    ("returns(close, 20)", "returns(close, 60)", 0.4, 0.7),
    ("ts_std(returns(close, 1), 20)", "parkinson(high, low, 20)", 0.85, 0.99),
    ("ts_std(returns(close, 1), 20)", "returns(close, 5)", 0.0, 0.1),
    ("ts_mean(volume, 5) / ts_mean(volume, 60)", "returns(close, 20)", 0.0, 0.1),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_in_other_clothes(a: str, b: str) -> None:
    assert behavioural_similarity(parse(a), parse(b)) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(("a", "b", "low", "high"), NEAR)
def test_relatives_and_strangers(a: str, b: str, low: float, high: float) -> None:
    found = behavioural_similarity(parse(a), parse(b))
    assert found is not None and low <= found <= high


WEEK = "zscore(-returns(close, 5))"
GATED = [
    (f"where(day_of_month <= 7, {WEEK}, 0)", WEEK, 0.15, 0.35),
    (f"where(day_of_month <= 7, {WEEK}, 0)", f"where(day_of_month <= 7, 2 * {WEEK}, 0)", 0.999, 1.0),
    (f"where(day_of_month <= 7, {WEEK}, 0)", f"where(day_of_month > 7, {WEEK}, 0)", 0.0, 0.0),
    (f"where(cs_mean(returns(close, 20)) > 0, {WEEK}, 0)", WEEK, 0.3, 0.7),
    (f"where(month <= 12, {WEEK}, 0)", WEEK, 0.999, 1.0),
]


@pytest.mark.parametrize(("a", "b", "low", "high"), GATED)
def test_silence_is_no_agreement(a: str, b: str, low: float, high: float) -> None:
    found = behavioural_similarity(parse(a), parse(b))
    assert found is not None and low <= found <= high


def test_symmetric_and_bounded() -> None:
    texts = sorted({t for pair in SAME for t in pair})
    for a, b in itertools.combinations_with_replacement(texts, 2):
        found = behavioural_similarity(parse(a), parse(b))
        assert found is not None and 0.0 <= found <= 1.0
        assert found == behavioural_similarity(parse(b), parse(a))


@pytest.mark.parametrize("text", ["earnings_yield", "month + 0 * returns(close, 1)", "ts_mean(returns(close, 1), 600)"])
def test_what_cannot_be_judged_is_none(text: str) -> None:
    assert behavioural_similarity(parse(text), parse("returns(close, 20)")) is None


def test_many_at_once_are_as_one_by_one() -> None:
    nodes = [parse("returns(close, 20)"), parse("eps"), parse("-returns(close, 5)")]
    together = behaviours(nodes)
    assert together[1] is None
    for node, found in zip(nodes, together, strict=True):
        (alone,) = behaviours([node])
        assert (found is None) == (alone is None)
        if found is not None and alone is not None:
            assert found.ranks.tobytes() == alone.ranks.tobytes()


def test_the_reference_market_has_its_bits() -> None:
    assert digest_panel(reference_panel()) == "4ce7c4123a79bdc0bdf6dc37c2d3daf92a7ccc49d421df9ad5a8e9c3fe4470a5"


def test_the_reference_market_is_a_market() -> None:
    panel = reference_panel()
    top = np.maximum(panel["open"], panel["close"])
    bottom = np.minimum(panel["open"], panel["close"])
    assert (panel["high"] >= top).all() and (panel["low"] <= bottom).all() and (panel["low"] > 0).all()
    assert (panel["volume"] > 0).all()
    move = panel["close"][1:] / panel["close"][:-1] - 1.0
    assert 0.01 < move.std() < 0.05
    market = np.abs(move.mean(axis=1))
    assert np.corrcoef(market[1:], market[:-1])[0, 1] > 0.02
    days = panel.ts // 86_400_000_000_000
    assert set(((days + 3) % 7).tolist()) == {0, 1, 2, 3, 4}
