"""Invariants of the event engine, after every event that a strategy of random orders is told of.

1. Cash + positions at their marks = NAV, to the micro.
2. The position of a symbol = the sum of the lots of its reported fills.
3. Fees, spread and impact are never negative, and the cash that left = notionals + fees.
4. No order is filled beyond its lots, and what is known to be filled is at most what is filled.
5. No order that ended is filled: the table of states refuses it, and the run would stop.
6. Lots ahead in a queue are never negative.
7. Lots at work, summed over live orders, are those that the risk decision counts.
8. Every order ends in one log row at most; fills of an order sum to its logged lots.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modules.engine.exchange import layout as f
from modules.engine.exchange import readers, view
from modules.engine.exchange.draws import uniform
from modules.engine.exchange.events import Instrument, Stream
from modules.engine.exchange.logs import Replay
from modules.engine.exchange.orders import is_live
from modules.engine.exchange.replay import replay
from modules.engine.exchange.settings import ExchangeSettings
from modules.jit import kernel
from modules.panel import FloatArray, IntArray, ns

pytestmark = pytest.mark.slow  # the machine compiles for half a minute on a bare machine

SYMBOLS = 4
EVERYTHING = 1022  # all bits from BAR to START
INSTRUMENTS = [
    Instrument("DEEP", 0.01, 1.0, 0, 0.005, 1e6),
    Instrument("QUOTED", 0.01, 1.0, 0, 0.005, 1e6),
    Instrument("TRADED", 0.05, 2.0, 1, 0.005, 1e6),
    Instrument("BARS", 0.01, 1.0, 1, 0.005, 1e6),
]
# Places of the strategy's memory: 0 counts calls, 1 seed, 2 operations, 3 first broken invariant, 4.. sums of fills,
# 10 counter of draws, 20.. ids of late orders.


@kernel
def _check(a: IntArray, memory: FloatArray) -> int:
    total = a[f.H_CASH]
    for symbol in range(SYMBOLS):
        s = f.symbol_at(symbol)
        total += a[s + f.S_VALUE]
        if a[s + f.S_LOTS] == 0 and a[s + f.S_VALUE] != 0:
            return 1
        if float(a[s + f.S_LOTS]) != memory[4 + symbol]:
            return 2
        buys = 0
        sells = 0
        for slot in range(a[f.H_SLOTS]):
            o = f.order_at(a, slot)
            if a[o + f.O_FILLED] > a[o + f.O_LOTS] or a[o + f.O_KNOWN_FILLED] > a[o + f.O_FILLED]:
                return 4
            if a[o + f.O_AHEAD] < 0:
                return 6
            if a[o + f.O_SYMBOL] == symbol and is_live(a[o + f.O_KNOWN_STATE]):
                if a[o + f.O_WORK] < 0:
                    return 7
                if a[o + f.O_SIDE] > 0:
                    buys += a[o + f.O_WORK]
                else:
                    sells += a[o + f.O_WORK]
        if buys != a[s + f.S_WORK_BUY] or sells != a[s + f.S_WORK_SELL]:
            return 7
    if total != a[f.H_NAV]:
        return 1
    if a[f.H_COMMISSION] < 0 or a[f.H_SPREAD] < 0 or a[f.H_IMPACT] < 0:
        return 3
    return 0


@kernel
def _draw(memory: FloatArray, n: int) -> int:
    memory[10] += 1.0
    return int(uniform(int(memory[1]), int(memory[10]), 9) * float(n))


@kernel
def anything(a: IntArray, memory: FloatArray) -> None:
    """Checks the account, then sends, cancels or replaces something at random, sane or not."""
    if view.kind(a) == view.ON_FILL:
        memory[4 + view.event_symbol(a)] += float(a[f.H_LOTS])
    broken = _check(a, memory)
    if broken != 0 and memory[3] == 0.0:
        memory[3] = float(broken)
    if view.kind(a) > view.DEPTH:
        return
    for _ in range(_draw(memory, 3)):
        memory[2] += 1.0
        dice = _draw(memory, 10)
        late = int(memory[20 + _draw(memory, 40)])
        if dice < 5:
            symbol = _draw(memory, SYMBOLS)
            around = a[f.symbol_at(symbol) + f.S_MARK2] // 2 + _draw(memory, 21) - 10
            lots = _draw(memory, 60) - 30
            kind, tif = _draw(memory, 4), _draw(memory, 4)
            post = 1 if kind == 1 and _draw(memory, 3) == 0 else 0
            stop = around + _draw(memory, 9) - 4 if kind >= 2 else 0
            memory[20 + _draw(memory, 40)] = float(
                view.submit(a, symbol, lots, around, kind, tif, post, stop, _draw(memory, 2) * _draw(memory, 500))
            )
        elif dice < 8:
            view.cancel(a, late)
        else:
            view.replace(a, late, view.price_of_order(a, late) + _draw(memory, 9) - 4, _draw(memory, 40))


def market(events: int, seed: int) -> Stream:
    """One symbol of each kind of data, with moving prices, over two days."""
    rng = np.random.default_rng(seed)
    n = events // 5
    start, span = ns("2024-03-04T20:00:00"), 8 * 3600 * 1_000_000_000

    def times(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.sort(start + rng.integers(0, span, count))

    def walk(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return 10_000 + np.cumsum(rng.integers(-2, 3, count))

    mid = walk(n)
    spread = rng.integers(1, 4, n)
    quoted = readers.quotes(
        pl.DataFrame(
            {
                "time": times(n), "symbol": "QUOTED", "bid": (mid - spread) / 100, "ask": (mid + spread) / 100,
                "bid_size": rng.integers(0, 40, n) * 1.0, "ask_size": rng.integers(0, 40, n) * 1.0,
            }
        ),
        INSTRUMENTS,
    )  # fmt: skip
    prints = [
        readers.trades(
            pl.DataFrame(
                {
                    "time": times(n), "symbol": symbol, "price": walk(n) * tick, "size": rng.integers(0, 60, n) * 1.0,
                    "side": pl.Series(rng.choice(["buy", "sell", ""], n)).replace("", None),
                }
            ),
            INSTRUMENTS,
        )
        for symbol, tick in (("TRADED", 0.05), ("QUOTED", 0.01), ("DEEP", 0.01))
    ]  # fmt: skip
    mid = walk(n // 10)
    deep = readers.depth(
        pl.DataFrame(
            {
                "time": np.repeat(times(n // 10), 10), "symbol": "DEEP",
                "message": np.repeat(np.arange(n // 10), 10),
                "side": ["bid"] * 5 + ["ask"] * 5 if n < 10 else (["bid"] * 5 + ["ask"] * 5) * (n // 10),
                "price": (np.repeat(mid, 10) + np.tile([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5], n // 10)) / 100,
                "size": rng.integers(0, 40, 10 * (n // 10)) * 1.0, "snapshot": True,
            }
        ),
        INSTRUMENTS,
    )  # fmt: skip
    close = walk(n)
    open_ = close + rng.integers(-3, 4, n)
    bars = readers.bars(
        pl.DataFrame(
            {
                "time": times(n), "symbol": "BARS", "open": open_ / 100, "close": close / 100,
                "high": (np.maximum(open_, close) + rng.integers(0, 4, n)) / 100,
                "low": (np.minimum(open_, close) - rng.integers(0, 4, n)) / 100,
                "volume": rng.integers(0, 400, n) * 1.0,
            }
        ),
        INSTRUMENTS,
    )  # fmt: skip
    return readers.merge(quoted, *prints, deep, bars).with_feed_delay(200_000)


def run(events: int, seed: int) -> tuple[Replay, FloatArray]:
    """Random orders over a random market; the memory of the strategy is in the replay's notes of its calls."""
    settings = ExchangeSettings(
        capital_usd=2_000_000.0, entry_median_us=300.0, entry_sigma=0.8, answer_median_us=400.0, answer_sigma=0.8,
        maker_bps=0.2, taker_bps=0.5, fee_per_share_usd=0.001, fee_per_order_usd=0.1, live_orders=128, seed=seed,
        queue_power=2.0, max_daily_loss=0.03, beyond_displayed="impact" if seed % 2 else "wait",
    )  # fmt: skip
    memory = np.zeros(64)
    memory[1] = float(seed)
    done = replay(market(events, seed), anything, settings, subscribed=EVERYTHING, memory=memory)
    return done, memory


def check_logs(done: Replay) -> None:
    """What the logs say in the end agrees with the account."""
    fills, orders = done.fills(), done.orders()
    for name, lots in done.positions().items():
        assert int(fills.filter(pl.col("symbol") == name)["lots"].sum()) == lots
    for cost in ("commission_micros", "spread_micros", "impact_micros"):
        assert (fills[cost] >= 0).all()
    paid = fills["notional_micros"].sum() + sum(
        fills[c].sum() for c in ("commission_micros", "spread_micros", "impact_micros")
    )
    assert int(done.machine[f.H_CASH]) == 2_000_000_000_000 - int(paid)
    closed = done.logs.rows(1)
    assert np.unique(closed[:, f.C_ID]).size == len(closed)
    sums = fills.group_by("order_id").agg(filled=pl.col("lots").sum().abs())
    ended = orders.filter(pl.col("state") != "open").join(sums, on="order_id", how="left")
    assert (ended["filled"].fill_null(0) == ended["filled_lots"]).all()
    nav = done.nav()
    assert (nav["cash_micros"] + nav["positions_micros"] == nav["nav_micros"]).all()


def test_random_orders_keep_the_accounts() -> None:
    done, memory = run(20_000, 1)
    assert memory[3] == 0.0, f"invariant {int(memory[3])}"
    check_logs(done)
    # the run is no walk through refusals: orders of every end, and fills of both kinds
    ends = set(done.orders()["state"].unique().to_list())
    assert {"filled", "cancelled", "expired", "rejected"} <= ends
    assert done.fills()["maker"].n_unique() == 2
    assert done.fills().height > 500
    accepted = done.orders().filter(pl.col("state") != "rejected").height
    assert accepted > 0.2 * done.orders().height


@pytest.mark.parametrize("seed", range(2, 7))
def test_a_million_random_operations(seed: int) -> None:
    done, memory = run(200_000, seed)
    assert memory[3] == 0.0, f"invariant {int(memory[3])}"
    assert memory[2] > 190_000
    check_logs(done)
