"""Units, checked before anything runs: a row a signal, with its unit or with what must be said and where."""

from __future__ import annotations

import pytest

from modules.signal import SignalError, parse
from modules.signal.check import check_units
from modules.signal.units import MONEY, PLAIN, PRICE, SHARES, Loose, Measure, Unit


def _never(message: str, column: int) -> SignalError:
    return SignalError(f"{message} at {column}")


FITS: list[tuple[str, Measure]] = [
    ("close", PRICE),
    ("volume", SHARES),
    ("close * volume", MONEY),
    ("ts_sum(close * volume, 5) / ts_sum(volume, 5)", PRICE),
    ("close / open - 1", PLAIN),
    ("(high - low) / (close + 1e-12)", PLAIN),
    ("rank(close) + zscore(volume)", PLAIN),
    ("volume + 1", SHARES),
    ("1 + volume", SHARES),
    ("max(0, close)", PRICE),
    ("where(close > 5, 1, 0)", Loose.LITERAL),
    ("where(close > open, close, 0)", PRICE),
    ("sqrt(close * open) + high", PRICE),
    ("ts_var(close, 5)", Unit(PRICE.currency * 2, PRICE.shares * 2)),
    ("sqrt(ts_var(close, 5)) - ts_std(close, 5)", PRICE),
    ("close ** 0.5 * close ** 0.5 + open", PRICE),
    ("ts_cov(close, volume, 5)", MONEY),
    ("ts_beta(close, volume, 5) * volume + close", PRICE),
    ("log(volume) + month", PLAIN),
    ("momentum_score + close", Loose.UNKNOWN),
    ("momentum_score * close + volume", Loose.UNKNOWN),
    ("ts_argmax(close, 5) + ts_rank(volume, 5)", PLAIN),
    ("unitless(close) + unitless(volume)", PLAIN),
    ("neutralize(close, sector) + close", PRICE),
    ("neutralize(close, own_groups)", PRICE),
    ("group_rank(close, sector) + group_count(volume, sector)", PLAIN),
    ("group_median(volume, sector)", SHARES),
    ("cs_weighted_mean(close, volume) - close", PRICE),
    ("regress_out(volume, close, open)", SHARES),
    ("vector_neutral(close * volume, close)", MONEY),
    ("sqrt(square(close)) + close", PRICE),
    ("tanh(volume) + sigmoid(close)", PLAIN),
    ("between(close, low, high) + top(volume, 0.1)", PLAIN),
    ("nan_if(close, volume)", PRICE),
]


@pytest.mark.parametrize(("text", "unit"), FITS, ids=[t for t, _ in FITS])
def test_fits(text: str, unit: Measure) -> None:
    assert check_units(parse(text), _never) == unit


CLASHES = [
    ("close + volume", "close is price, volume is shares", 9),
    ("price + volume", "price is price, volume is shares", 9),
    ("rank(close) + close", "rank(close) is a plain number, close is price", 15),
    ("where(volume > close, 1, 0)", "volume is shares, close is price", 16),
    ("rank(close) * (open - volume * close)", "volume * close is currency", 23),
    ("max(close, returns(close, 5))", "returns(close, 5) is a plain number", 12),
    ("coalesce(volume, close)", "these need one unit", 18),
    ("ts_var(close, 5) > close", "currency^2 * shares^-2, close is price", 20),
    ("close + sector", "a group is a label", 9),
    ("rank(sector)", "a group is a label", 6),
    ("sector", "a group is no signal", 1),
    ("ts_mean(sector, 5)", "a group is a label", 9),
    ("delay(sector, 1) + close", "a group is a label", 7),
    ("where(sector, close, open)", "a group is a label", 7),
    ("where(close > open, sector, 0)", "a group is a label", 21),
    ("sector == 3", "a group is a label", 1),
    ("coalesce(sector, 0)", "a group is a label", 10),
    ("unitless(sector)", "a group is a label", 10),
    ("regress_out(close, sector)", "a group is a label", 20),
    ("neutralize(sector, sector)", "a group is a label", 12),
    ("neutralize(close, close)", "close is price; a group is needed here", 19),
    ("rank(group_rank(close, month))", "month is a plain number; a group is needed here", 24),
    ("group_mean(close, 3)", "3 is a number; a group is needed here", 19),
    ("neutralize(close, rank(close))", "a group is needed here", 19),
    ("between(close, 5, volume)", "these need one unit", 19),
    ("neutralize(close, sector) + volume", "these need one unit", 29),
    ("square(close) + close", "these need one unit", 17),
    ("cs_weighted_mean(volume, close) > close", "these need one unit", 35),
    ("regress_out(volume, close, open) - close", "these need one unit", 36),
]


@pytest.mark.parametrize(("text", "said", "column"), CLASHES, ids=[c[0] for c in CLASHES])
def test_clash_is_named_with_its_place(text: str, said: str, column: int) -> None:
    with pytest.raises(SignalError) as caught:
        parse(text)
    assert said in caught.value.message
    assert caught.value.column == column
    assert parse(text, units=False)


def test_a_remedy_is_given() -> None:
    with pytest.raises(SignalError, match=r"bring both to one scale first, as in rank\(x\)"):
        parse("close + volume")
