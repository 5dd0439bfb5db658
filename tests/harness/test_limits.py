"""Words that bound, weaken or split a claim lead to a question: passing one over would test another claim."""

from __future__ import annotations

import pytest

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Question, Reading

DRAFTER = OfflineDrafter.of_checkout()

ASKED = (
    # text, a part of the question
    ("stocks that fell slightly last month rebound", "'slightly'"),
    ("stocks that fell the least last month recover", "'least'"),
    ("shares that gained only a little this month keep gaining", "'little'"),
    ("stocks that dropped between 3% and 6% in a week bounce", "bounds the move from above"),
    ("losers of last week rebound when volume is at most twice its average", "bounds the move from above"),
    ("high volatility over one day precedes gains", "No recipe measures"),
    ("losers of last week rebound when volatility was high yesterday", "measures nothing over 1 bar"),
    ("shares climb and volume drops", "said of everything"),
    ("prices climb and then they sink", "said of everything"),
    ("last week's losers might or might not rebound", "leaves both ways open"),
    ("shares that are neither liquid nor illiquid outperform", "middle of a ranking"),
    ("last month's winners continue better than volatile ones", "ranks the stocks that are compared"),
    ("last week's losers rebound if they are calm and volatile", "contradict each other"),
    ("stocks that lost less than 4% last week recover", "bounds the move from above"),
    ("stocks that fell more than 8% but under 12 % last week recover", "bounds the move from above"),
    ("the larger the fall, the weaker its recovery", "how strongly"),
    ("the more a share dropped the less it will bounce", "'less'"),
    ("losers of last month recover less than the others", "'less'"),
    ("losers of last month recover only partly", "'partly'"),
    ("losers of last week rebound when the market is open", "state of the whole market"),
    ("losers of last week rebound after the market made a new high", "state of the whole market"),
    ("losers of last week rebound in bull markets and in calm markets", "two states of the market"),
    ("losers of last week rebound unless the market rises after falling", "state of the whole market"),
    ("stocks with high beta or high volatility underperform", "which of the two"),
    ("stocks that rose every day last week fall back", "counts bars"),
    ("stocks that fell on four of the last five days rebound", "counts bars"),
    ("stocks that gap down recover during the day", "within one bar"),
    ("stocks that gap up fade by the close", "within one bar"),
    ("stocks recovering from a deep drawdown continue", "opposite ways"),
    ("stocks that follow the leader with a lag of one week", "A lead of 5 bars"),
    ("losers used to rebound", "deny"),
    ("losers of last week bounce at a round level", "'round'"),
    ("stocks that fell in the morning rebound", "'morning'"),
    ("a 20 day average above the 100 day average is bullish", "two windows"),
    ("High or low volume stocks outperform", "both ends"),
    ("Small or big volatility wins", "both ends"),
)

STILL_READ = (
    # text, sign, event: near misses of the rules above
    ("stocks that fell at least 5% last week rebound", -1, "return"),
    ("stocks that rose on little volume reverse", -1, "return"),
    ("stocks that beat the market last month keep beating the market", 1, "relative_return"),
    ("when stocks beat the market for six months they continue", 1, "relative_return"),
    ("stocks that fell in the day rebound the day after", -1, "return"),
    ("the less volatile the stock the better its return", -1, "volatility"),
    ("the bigger the drop, the bigger the bounce", -1, "return"),
    ("Momentum works better in calm markets", 1, "return"),
    ("stocks that fell 20% from their peak outperform", -1, "drawdown"),
    ("stocks which jump overnight give back their gains", -1, "gap"),
    ("names which got hammered over the past five sessions snap back", -1, "return"),
    ("stocks that follow the leader with a lag of one day", 1, "lead_lag"),
    ("after a big volume spike prices reverse the next day", -1, "return"),
    ("Shares of low volatility give more return than shares of high volatility", -1, "volatility"),
    ("Volatile shares deliver less return than calm ones", -1, "volatility"),
)


@pytest.mark.parametrize(("text", "asked"), ASKED, ids=[row[0] for row in ASKED])
def test_asks(text: str, asked: str) -> None:
    answer = DRAFTER.draft(text, fields=frozenset({"open", "high", "low", "close", "volume"}), others=(), k=1, seed=0)
    assert isinstance(answer.question, Question), answer.reading
    assert asked in answer.question.question
    assert not answer.candidates


@pytest.mark.parametrize(("text", "sign", "event"), STILL_READ, ids=[row[0] for row in STILL_READ])
def test_still_reads(text: str, sign: int, event: str) -> None:
    answer = DRAFTER.read(text)
    assert isinstance(answer, Reading), answer
    assert (answer.sign, answer.event) == (sign, event)


@pytest.mark.parametrize("text", ["Firms with rising profits outperform", "Stocks fall after a profit warning"])
def test_profits_need_accounts(text: str) -> None:
    answer = DRAFTER.draft(text, fields=frozenset({"close", "volume"}), others=(), k=1, seed=0)
    assert answer.refusal is not None and answer.refusal.reason == "needs_other_data"


def test_a_time_gone_by_is_said_to_be_taken_as_a_window() -> None:
    answer = DRAFTER.read("stocks that fell the most two weeks ago rebound")
    assert isinstance(answer, Reading)
    assert "'2 weeks ago' is taken as the last 10 bars" in answer.assumptions


def test_a_window_before_the_outcome_is_not_that_of_the_condition_behind_it() -> None:
    answer = DRAFTER.read("stocks that fell more than 10% two weeks ago rebound on high volume")
    assert isinstance(answer, Reading)
    assert answer.horizon_bars == 10 and answer.conditions[0].window_bars is None
