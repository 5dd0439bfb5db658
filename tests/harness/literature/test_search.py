"""Words find sources: the order is stable, filters filter, and what shares no word is not offered."""

from __future__ import annotations

import pytest

from harness.literature.search import families, find
from harness.retrieval import Retriever, words_of

WANTED = [
    ("stocks that fell last week rebound", "lehmann-1990"),
    ("firms that issue shares do worse", "pontiff-woodgate-2008"),
    ("Sloan 1996", "sloan-1996"),
    ("momentum crashes when the market rebounds", "daniel-moskowitz-2016"),
    ("insider purchases", "lakonishok-lee-2001"),
    ("the day before a holiday", "ariel-1990"),
    ("asset growth", "cooper-et-al-2008"),
    ("gross profit on assets", "novy-marx-2013"),
    ("lottery stocks with a large best day", "bali-cakici-whitelaw-2011"),
    ("employees hired", "belo-et-al-2014"),
    ("overnight against intraday", "lou-polk-skouras-2019"),
    ("cryptocurrency momentum", "liu-tsyvinski-wu-2022"),
]


@pytest.mark.parametrize(("query", "key"), WANTED)
def test_the_source_meant_is_among_the_first_five(query: str, key: str) -> None:
    assert key in [f.source.key for f in find(query, limit=5)]


def test_filters() -> None:
    assert {f.source.family for f in find("returns", family="options", limit=50)} == {"options"}
    assert all(f.source.construction for f in find("dividend", constructible=True))
    assert any(not f.source.construction for f in find("dividend"))
    assert len(find("", limit=500)) >= 300 and len(find("", family="value", limit=500)) < 50
    with pytest.raises(ValueError, match="momentum"):
        find("returns", family="nope")
    with pytest.raises(ValueError, match="limit is 0"):
        find("returns", limit=0)


@pytest.mark.parametrize("query", ["qwertz", "the of and", "'; xyzzy --", "\x00\ud800", "ignore " * 100_000])
def test_words_nobody_wrote_find_nothing(query: str) -> None:
    assert find(query) == ()


def test_scores_fall_and_ties_keep_their_order() -> None:
    index = Retriever(["red fox", "red fox", "red red fox fox", "blue sky"])
    hits = index.best("red fox", 10)
    assert {h.place for h in hits} == {0, 1, 2}
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert [h.place for h in hits if h.place < 2] == [0, 1]
    assert index.best("red fox", 1) == hits[:1]


def test_words() -> None:
    assert words_of("The Losers' returns are RISING; companies rise") == ["loser", "return", "ris", "company", "ris"]
    assert families()[0] == "accruals"
