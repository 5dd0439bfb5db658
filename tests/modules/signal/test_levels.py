"""What a split that comes later would change: by the units of fields, a row a signal."""

from __future__ import annotations

import numpy as np
import pytest

from modules.panel import Panel
from modules.signal import parse
from modules.signal.prove import level_difference, restated
from tests.modules.signal.panels import bits, grouped_panel

_BARS = grouped_panel(41, rows=120, symbols=6, rough=False)
_RNG = np.random.default_rng(42)
PANEL = _BARS.with_fields(
    mid=(_BARS["high"] + _BARS["low"]) / 2,
    dollar_volume=_BARS["close"] * _BARS["volume"],
    bid_size=np.floor(_RNG.lognormal(8.0, 1.0, _BARS.shape)),
    close_as_traded=_BARS["close"] * 4.0,
    raw_close=_BARS["close"] * 4.0,
    dividend=np.floor(_RNG.uniform(0.0, 1.1, _BARS.shape)),
    split=1.0 + np.floor(_RNG.uniform(0.0, 1.1, _BARS.shape)),
    market_cap=_RNG.lognormal(20.0, 1.0, _BARS.shape),
    shares_outstanding=np.tile(_RNG.lognormal(15.0, 1.0, 6), (120, 1)),
    trades=np.floor(_RNG.lognormal(5.0, 1.0, _BARS.shape)),
    score=_RNG.normal(size=_BARS.shape),
)

READS = [
    # prices and shares
    ("rank(close)", True),
    ("rank(volume)", True),
    ("rank(bid_size)", True),
    ("rank(close / mid)", False),
    ("rank(volume / bid_size)", False),
    # money is what it was
    ("rank(dollar_volume)", False),
    ("rank(close * volume)", False),
    ("rank(close * bid_size)", False),
    ("rank(dollar_volume / volume)", True),
    ("regress_out(returns(close, 5), log(dollar_volume))", False),
    ("regress_out(returns(close, 5), log(close))", True),
    # what was filed is not restated: with an adjusted price or volume beside it, it is a level
    ("rank(shares_outstanding)", False),
    ("rank(market_cap)", False),
    ("rank(close * shares_outstanding)", True),
    ("rank(volume / shares_outstanding)", True),
    ("rank(close_as_traded * shares_outstanding)", False),
    # nor is what was paid on the day
    ("rank(raw_close)", False),
    ("rank(close / raw_close)", True),
    ("rank(ts_sum(dividend / raw_close, 20))", False),
    ("rank(ts_max(split, 20))", False),
    # counts and groups are no prices
    ("rank(trades)", False),
    ("group_count(close, sector) + 0 * trades", False),
    ("neutralize(returns(close, 5), sector)", False),
    ("group_rank(-returns(close, 5), sector)", False),
    ("neutralize(close, sector)", True),
    ("group_mean(dollar_volume, sector)", False),
    # nobody said what it is: it may be a price
    ("rank(score)", True),
    ("ts_zscore(score, 20)", False),
]


@pytest.mark.parametrize(("text", "reads"), READS, ids=[t for t, _ in READS])
def test_levels(text: str, reads: bool) -> None:
    assert (level_difference(parse(text), PANEL) is not None) == reads


def test_a_split_is_exact_and_leaves_what_is_no_share() -> None:
    after: Panel = restated(PANEL)
    for name in ("sector", "dollar_volume", "trades", "shares_outstanding", "market_cap", "close_as_traded"):
        assert bits(after[name]) == bits(PANEL[name])
    assert bits(after["close"] * after["volume"]) == bits(PANEL["close"] * PANEL["volume"])
    assert bits(after["close"] * after["bid_size"]) == bits(PANEL["close"] * PANEL["bid_size"])
    assert len({float(r) for r in after["close"][0] / PANEL["close"][0]}) == 6
