"""Canonical symbols and what venues call them: nothing that could be read in two ways is let in."""

from __future__ import annotations

import pytest

from modules.live.feeds.symbols import Canonical, SymbolError, split, symbol_map

NATIVE = [
    ("alpaca", "AAPL.NASDAQ", "AAPL"),
    ("alpaca", "BRK.B.NYSE", "BRK.B"),
    ("ib", "BRK.B.NYSE", "BRK B"),
    ("fix", "IBM.NYSE", "IBM"),
    ("ccxt", "XRP-USDT.BYBIT", "XRP/USDT"),
    ("bybit", "XRP-USDT.BYBIT", "XRPUSDT"),
    ("binance", "BTC-USDT.BINANCE", "BTCUSDT"),
    ("sim", "AAPL.NASDAQ", "AAPL.NASDAQ"),
    ("paper", "plain", "plain"),
]


@pytest.mark.parametrize(("venue", "symbol", "native"), NATIVE)
def test_both_directions(venue: str, symbol: str, native: str) -> None:
    found = symbol_map(venue, [symbol])
    assert found.native(symbol) == native
    assert found.canonical(native) == symbol
    assert found.canonical(native + "X") is None


def test_parts() -> None:
    assert split("BRK.B.NYSE") == Canonical("BRK.B", "NYSE")
    assert split("XRP-USDT.BYBIT") == Canonical("XRP-USDT", "BYBIT")


@pytest.mark.parametrize(
    "symbol", ["AAPL", "aapl.NASDAQ", "AAPL.", ".NASDAQ", "AAPL.nasdaq", "A APL.X", "A" * 40 + ".X"]
)
def test_what_is_not_canonical(symbol: str) -> None:
    with pytest.raises(SymbolError, match="canonical"):
        symbol_map("alpaca", [symbol])


def test_two_of_one_name_are_refused_unless_an_exception_tells_them_apart() -> None:
    both = ["AAPL.NASDAQ", "AAPL.BATS"]
    with pytest.raises(SymbolError, match=r"AAPL\.NASDAQ and AAPL\.BATS are both 'AAPL' at alpaca"):
        symbol_map("alpaca", both)
    told = symbol_map("alpaca", both, {"AAPL.BATS": "AAPL:BATS"})
    assert told.canonical("AAPL") == "AAPL.NASDAQ" and told.canonical("AAPL:BATS") == "AAPL.BATS"


def test_an_exception_for_nothing_and_a_symbol_that_is_not_listed() -> None:
    with pytest.raises(SymbolError, match="no instrument here"):
        symbol_map("alpaca", ["AAPL.NASDAQ"], {"IBM.NYSE": "IBM"})
    with pytest.raises(SymbolError, match="not listed for alpaca"):
        symbol_map("alpaca", ["AAPL.NASDAQ"]).native("IBM.NYSE")
