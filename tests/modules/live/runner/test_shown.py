"""Books as viewers see them: the level-2 book where it stands, else best bid and ask, and why not to believe it."""

from __future__ import annotations

from modules.engine.exchange.events import Instrument
from modules.live.feeds.market import Market
from modules.live.feeds.news import Quote
from modules.live.runner.shown import books_shown

NOW = 1_700_000_000_000_000_000


def test_best_bid_and_ask_in_lots_and_why_it_is_broken() -> None:
    market = Market([Instrument("AAA", 0.01, 10.0)])
    assert books_shown(market) == {}
    market.take("one", [Quote("AAA", "sim", 99.99, 100.01, 300.0, 200.0, NOW, NOW)])
    (book,) = books_shown(market).values()
    assert [(level.price, level.lots) for level in (*book.bids, *book.asks)] == [(99.99, 30.0), (100.01, 20.0)]
    assert (book.symbol, book.venue, book.ts_ns, book.stalled) == ("AAA", "sim", NOW, None)
    market.health.broken["AAA"] = "gap"
    assert books_shown(market)["AAA sim"].stalled == "gap"
