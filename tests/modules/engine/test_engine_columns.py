"""Amounts worked out several at once are those worked out one after the other.

1. Fills charged by the column have the money of fills charged each by itself.
2. Positions valued by the column have the worth of positions valued each by itself.
3. Where an amount leaves its exact range, the column says so, and the symbol is named.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from modules.engine.accounting import EngineOverflowError, FillLog, Room, Terms, new_book, new_fill_log, new_room
from modules.engine.filling import charge_each, charge_many
from modules.engine.limits import RiskLimits
from modules.engine.marking import value_each, value_many
from modules.engine.settings import Costs
from tests.modules.engine.cases import account, instruments, panel

N = 37


def terms(rng: np.random.Generator) -> Terms:
    """Each cost on or off."""
    spread, commission, impact = np.where(rng.random(3) < 0.6, [2e-4, 1e-4, 0.5], 0.0).tolist()
    return Terms(spread, commission, impact, 0.0, 0.05, 0.25, 0.05, 0.01, 0.0)


def fills(rng: np.random.Generator, most: float) -> tuple[FillLog, Room]:
    log, room = new_fill_log(N + 4), new_room(new_book(N, 2, 10**12))
    log.symbol[:] = np.arange(N + 4)
    log.lots[:] = np.rint(np.exp(rng.uniform(0.0, math.log(most), N + 4))) * rng.choice([-1, 1], N + 4)
    log.price[:] = np.exp(rng.normal(3.0, 2.0, N + 4))
    room.shares[:] = np.abs(log.lots[4:]) * rng.choice([1.0, 0.001, 0.25])
    room.sigma[:] = rng.choice([0.02, 0.0, math.nan, 0.4], N)
    room.adv[:] = rng.choice([1e6, 0.0, math.nan, 3.0], N)
    return log, room


def test_1_fills_charged_by_the_column() -> None:
    rng = np.random.default_rng(5)
    exact = []
    for _ in range(200):
        log, room = fills(rng, float(rng.choice([1e3, 1e9])))
        cost, other = terms(rng), FillLog._make(column.copy() for column in log)
        exact.append(charge_many(4, N + 4, cost, log, room, 0))
        if not exact[-1]:
            with pytest.raises(OverflowError):
                charge_each(4, N + 4, cost, other, room, 0, np.zeros(20, np.int64))
            continue
        charge_each(4, N + 4, cost, other, room, 0, np.zeros(20, np.int64))
        for mine, theirs in zip(log, other, strict=True):
            np.testing.assert_array_equal(mine[4:], theirs[4:])
        assert (log.commission[4:] >= 0).all() and (log.impact[4:] >= 0).all()
    assert 0 < sum(exact) < len(exact)


def test_2_positions_valued_by_the_column() -> None:
    rng = np.random.default_rng(6)
    exact = []
    for _ in range(200):
        book, other = new_book(N, 2, 10**12), new_book(N, 2, 10**12)
        lots = rng.integers(-5, 6, N) * 10 ** rng.integers(0, 9, N)
        lot_size, close = rng.choice([1.0, 0.001], N), np.exp(rng.normal(1.0, 3.0, N))
        close[rng.random(N) < 0.2] = math.nan
        for one in (book, other):
            one.lots[:] = lots
            one.mark[:] = np.where(lots != 0, 7.25, math.nan)
        held, theirs = np.zeros(N, np.int64), np.zeros(N, np.int64)
        exact.append(value_many(close, lot_size, book, held))
        if not exact[-1]:
            with pytest.raises(OverflowError):
                value_each(close, lot_size, other, theirs)
            continue
        value_each(close, lot_size, other, theirs)
        for mine, its in ((book.value, other.value), (book.mark, other.mark), (held, theirs)):
            np.testing.assert_array_equal(mine, its)
    assert 0 < sum(exact) < len(exact)


@pytest.mark.parametrize("symbols", [3, 20], ids=["each", "column"])
@pytest.mark.parametrize("jump", ["close", "open"], ids=["worth", "fill"])
def test_3_the_symbol_is_named(symbols: int, jump: str) -> None:
    close = np.tile([[1.0], [1.01]], (6, symbols))
    opening = close.copy()
    (close if jump == "close" else opening)[-1, symbols - 1] = 1e13
    bars = panel(close, tuple(f"S{i:02d}" for i in range(symbols)), open=opening)
    targets = np.full((4, symbols), 0.04 / symbols)
    with pytest.raises(EngineOverflowError, match=rf"symbol S{symbols - 1:02d}: "):
        account(
            bars, targets if jump == "close" else targets * [[0.0], [0.0], [1.0], [1.0]],
            costs=Costs(), limits=RiskLimits(), table=instruments(bars.symbols),
        )  # fmt: skip
