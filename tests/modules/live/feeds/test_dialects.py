"""The words of venues as they document them: what a message means, and that what cannot be read is not passed over."""

from __future__ import annotations

import json

import pytest

from modules.live.feeds.dialects.binance import Binance
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.dialects.port import DialectError
from modules.live.feeds.news import Beat, Depth, FeedNews, Quote, Trade
from modules.live.feeds.symbols import symbol_map

MS = 1_000_000
SEEN = 1_733_011_205_600 * MS
BTC = "BTC-USDT.X"

BYBIT: list[tuple[str, str, list[FeedNews]]] = [
    (
        "snapshot",
        '{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1672304484978,"data":{"s":"BTCUSDT",'
        '"b":[["16493.50","0.006"],["16493.00","0.100"]],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},'
        '"cts":1672304484976}',
        [
            Depth(
                BTC, "bybit", True, 18521288, 18521288, ((16493.5, 0.006), (16493.0, 0.1)), ((16611.0, 0.029),),
                1672304484976 * MS, SEEN,
            )
        ],
    ),
    (
        "delta",
        '{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1687940967466,"data":{"s":"BTCUSDT",'
        '"b":[["30247.20","0"]],"a":[],"u":177400507,"seq":66544703342}}',
        [Depth(BTC, "bybit", False, 177400507, 177400507, ((30247.2, 0.0),), (), 1687940967466 * MS, SEEN)],
    ),
    (
        "trades",
        '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT",'
        '"S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false}]}',
        [
            Trade(
                BTC, "bybit", 16578.5, 0.001, "buy", "20f43950-d8dd-5b31-9112-a178eb6023af", 1672304486865 * MS, SEEN
            )
        ],
    ),
    ("pong", '{"success":true,"ret_msg":"pong","conn_id":"0970e817","op":"ping"}', [Beat("bybit", SEEN)]),
    ("another topic", '{"topic":"tickers.BTCUSDT","type":"snapshot","ts":1,"data":{}}', [Beat("bybit", SEEN)]),
    (
        "another symbol",
        '{"topic":"orderbook.50.ETHUSDT","type":"delta","ts":1,"data":{"s":"ETHUSDT","b":[],"a":[],"u":1,"seq":1}}',
        [Beat("bybit", SEEN)],
    ),
]  # fmt: skip
BINANCE: list[tuple[str, str, list[FeedNews]]] = [
    (
        "change",
        '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1672515782136,"s":"BTCUSDT","U":157,"u":160,'
        '"b":[["0.0024","10"]],"a":[["0.0026","100"]]}}',
        [Depth(BTC, "binance", False, 157, 160, ((0.0024, 10.0),), ((0.0026, 100.0),), 1672515782136 * MS, SEEN)],
    ),
    (
        "best prices",
        '{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"25.35190000","B":"31.21000000",'
        '"a":"25.36520000","A":"40.66000000"}}',
        [Quote(BTC, "binance", 25.3519, 25.3652, 31.21, 40.66, SEEN, SEEN)],
    ),
    (
        "trade",
        '{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"0.001",'
        '"q":"100","T":1672515782135,"m":true,"M":true}}',
        [Trade(BTC, "binance", 0.001, 100.0, "sell", "12345", 1672515782135 * MS, SEEN)],
    ),
    ("answer", '{"result":null,"id":1}', [Beat("binance", SEEN)]),
    ("another stream", '{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}', [Beat("binance", SEEN)]),
    ("a stream of all", '{"stream":"!ticker@arr","data":[]}', [Beat("binance", SEEN)]),
]


@pytest.mark.parametrize(("words", "message", "news"), BYBIT, ids=[r[0] for r in BYBIT])
def test_bybit(words: str, message: str, news: list[FeedNews]) -> None:
    assert Bybit(symbol_map("bybit", [BTC])).decode(message.encode(), SEEN) == news


@pytest.mark.parametrize(("words", "message", "news"), BINANCE, ids=[r[0] for r in BINANCE])
def test_binance(words: str, message: str, news: list[FeedNews]) -> None:
    assert Binance(symbol_map("binance", [BTC])).decode(message.encode(), SEEN) == news


def test_what_is_sent() -> None:
    here = Bybit(symbol_map("bybit", [BTC, "XRP-USDT.X"]), depth=200)
    topics = ["orderbook.200.BTCUSDT", "orderbook.200.XRPUSDT", "publicTrade.BTCUSDT", "publicTrade.XRPUSDT"]
    assert [json.loads(w) for w in here.subscribe()] == [{"op": "subscribe", "args": topics}]
    assert [json.loads(w)["op"] for w in here.resync(BTC)] == ["unsubscribe", "subscribe"]
    assert json.loads(here.ping() or "") == {"op": "ping"} and here.snapshot_path(BTC) is None
    there = Binance(symbol_map("binance", [BTC]), ("bookTicker",), depth=5)
    assert json.loads(there.subscribe()[0])["params"] == ["btcusdt@bookTicker"]
    assert there.resync(BTC) == [] and there.ping() is None
    assert there.snapshot_path(BTC) == "/api/v3/depth?symbol=BTCUSDT&limit=5"


def test_a_snapshot_fetched_apart() -> None:
    here = Binance(symbol_map("binance", [BTC]))
    body = b'{"lastUpdateId":1027024,"bids":[["4.00","431.0"]],"asks":[["4.02","12.0"]]}'
    assert here.snapshot(BTC, body, SEEN) == Depth(
        BTC, "binance", True, 1027024, 1027024, ((4.0, 431.0),), ((4.02, 12.0),), SEEN, SEEN
    )
    for bad in (b"", b"{}", b"[]", b'{"code":-1121,"msg":"Invalid symbol."}', body.replace(b'"4.00"', b'"x"')):
        with pytest.raises(DialectError, match="cannot be read"):
            here.snapshot(BTC, bad, SEEN)


TURNED_DOWN = [
    ("bybit", '{"success":false,"ret_msg":"error:handler not found","op":"subscribe"}', "handler not found"),
    ("binance", '{"error":{"code":2,"msg":"Invalid request"},"id":1}', r"Invalid request \(code 2\)"),
]


@pytest.mark.parametrize(("venue", "message", "why"), TURNED_DOWN)
def test_what_was_turned_down(venue: str, message: str, why: str) -> None:
    with pytest.raises(DialectError, match=why):
        dialect(venue).decode(message.encode(), SEEN)


def dialect(venue: str) -> Bybit | Binance:
    return Bybit(symbol_map("bybit", [BTC])) if venue == "bybit" else Binance(symbol_map("binance", [BTC]))


def mutants(message: str) -> list[bytes]:
    """The message cut off, and with each of its values made into another kind."""
    whole = message.encode()
    found = [whole[:k] for k in range(1, len(whole), 7)]
    for old, new in ((b'"u":', b'"u":"x'), (b'"s":', b'"z":'), (b'"b":[', b'"b":[[1],'), (b'"p":"', b'"p":"?')):
        if old in whole:
            found.append(whole.replace(old, new, 1))
    return [*found, b"", b"null", b"[]", b"\xff\xfe", b"[" * 5_000]


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_garbage_is_an_error_and_nothing_else(venue: str) -> None:
    here = dialect(venue)
    for _, message, _ in BYBIT[:3] if venue == "bybit" else BINANCE[:3]:
        for bad in mutants(message):
            with pytest.raises(DialectError):
                here.decode(bad, SEEN)


def test_what_is_not_offered() -> None:
    with pytest.raises(DialectError, match="depth = 7"):
        Bybit(symbol_map("bybit", [BTC]), depth=7)
    with pytest.raises(DialectError, match="not offered"):
        Binance(symbol_map("binance", [BTC]), ("kline",))  # type: ignore[arg-type]
