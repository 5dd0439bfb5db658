"""What a run's orders cost, against a loop that looks every price up by itself.

1. Each order's benchmarks and each part of its shortfall are what the loop finds, with opens, gaps, splits and volume.
2. The orders of the last bar, and those that risk refused whole, are none of it.
3. Hours for bars of a day, weekdays for daily bars.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from harness.report.execution import execution
from harness.report.load import Beside
from harness.report.report import RunReport
from modules.panel import Panel, ns
from tests.harness.report.build import TIME, random_run

MINUTE = 60_000_000_000
DAY = 1_440 * MINUTE
SYMBOLS = ("A.XNAS", "B.XNYS")
LOT = {"A.XNAS": 1.0, "B.XNYS": 0.1}
INSTRUMENTS = pl.DataFrame({"symbol": SYMBOLS, "venue": ["XNAS", "XNYS"], "lot_size": [1.0, 0.1]})


def market(bars: int, step: int, draw: random.Random, *, whole: bool) -> Panel:
    """Prices that walk; where not `whole`, without opens, highs and lows. A split of A and some missing cells."""
    ts = ns("2024-03-04T14:30:00") // step * step + np.arange(bars, dtype=np.int64) * step
    close = np.array([[100 + draw.uniform(-5, 5), 20 + draw.uniform(-1, 1)] for _ in range(bars)])
    fields = {"close": close}
    if whole:
        fields["open"] = close + np.array([[draw.uniform(-1, 1), draw.uniform(-0.2, 0.2)] for _ in range(bars)])
        fields["open"][bars // 3, 0] = math.nan
        fields["high"], fields["low"] = np.maximum(fields["open"], close) + 0.5, close - 1.5
        fields["high"][bars // 3, 0] = close[bars // 3, 0] + 0.5
        fields["volume"] = np.array([[float(draw.randint(0, 9)), float(draw.randint(1, 9))] for _ in range(bars)])
        fields["split"] = np.ones((bars, 2))
        fields["split"][bars // 2, 0] = 2.0
        fields["raw_close"], fields["raw_open"] = close.copy(), fields["open"].copy()
        fields["raw_close"][bars // 2 :, 0] /= 2.0
        fields["raw_open"][bars // 2 :, 0] /= 2.0
    return Panel(ts, SYMBOLS, fields)


def traded(bars: Panel, draw: random.Random) -> tuple[pl.DataFrame, pl.DataFrame]:
    """An order a bar and symbol: filled at the next bar, over two, in part, not at all, or refused."""
    orders, fills = [], []
    opens = bars["raw_open"] if "raw_open" in bars else np.roll(bars["close"], 1, axis=0)
    for d in range(bars.ts.size):
        for i, symbol in enumerate(SYMBOLS):
            lots = draw.choice([-30, -10, 20, 40])
            allowed = lots * draw.choice([0, 1, 1, 1]) // draw.choice([1, 2])
            order = len(orders)
            orders.append((order, bars.ts[d], symbol, lots, allowed))
            left = allowed
            for row in range(d + 1, min(d + 3, bars.ts.size)):
                if bars["split"][row, i] != 1.0 if "split" in bars else False:
                    left = left * 2
                part = left if draw.random() < 0.4 else left // 2 if draw.random() < 0.5 else 0
                if part and math.isfinite(opens[row, i]):
                    left -= part
                    price = float(opens[row, i])
                    value = round(part * LOT[symbol] * price * 1e6)
                    fee, spread = abs(value) // 10_000, abs(value) // 2_000
                    fills.append((order, bars.ts[row], symbol, part, price, value, fee, spread, spread // 2))
    names = ["order_id", "event_time", "symbol", "asked_lots", "allowed_lots"]
    money = ["notional_micros", "commission_micros", "spread_micros", "impact_micros"]
    time = pl.col("event_time").cast(TIME)
    heads = ["order_id", "event_time", "symbol", "lots", "price", *money]
    return (
        pl.DataFrame(orders, schema=names, orient="row").with_columns(time),
        pl.DataFrame(fills, schema=heads, orient="row").with_columns(time),
    )


@pytest.mark.parametrize(("step", "whole"), [(30 * MINUTE, True), (DAY, True), (DAY, False)])
@pytest.mark.parametrize("seed", range(3))
def test_against_a_loop(step: int, whole: bool, seed: int) -> None:
    """1, 2, 3."""
    draw = random.Random(seed)
    bars = market(90, step, draw, whole=whole)
    orders, fills = traded(bars, draw)
    found = execution(bars, INSTRUMENTS, orders, fills)
    rows = {r["order"]: r for r in found.orders.iter_rows(named=True)}
    row_of = {int(t): k for k, t in enumerate(bars.ts)}
    traded_close = bars["raw_close"] if whole else bars["close"]
    for o in orders.iter_rows(named=True):
        d, i = row_of[int(o["event_time"].timestamp()) * 10**9], SYMBOLS.index(o["symbol"])
        if o["allowed_lots"] == 0 or d == bars.ts.size - 1:
            assert o["order_id"] not in rows  # 2
            continue
        row, size, first = rows[o["order_id"]], LOT[o["symbol"]], d + 1
        split = float(bars["split"][first, i]) if whole else 1.0
        lots, decision = o["allowed_lots"] * split, traded_close[d, i] / split
        arrival = bars["raw_open"][first, i] if whole else math.nan
        arrival = decision if math.isnan(arrival) else arrival
        delay = timing = impact = fees = filled = 0.0
        last = first
        for x in fills.filter(pl.col("order_id") == o["order_id"]).iter_rows(named=True):
            at = row_of[int(x["event_time"].timestamp()) * 10**9]
            last = max(last, at)
            later = float(np.prod(bars["split"][first + 1 : at + 1, i])) if whole else 1.0
            shares, price = x["lots"] / later * size, x["price"] * later
            filled += x["lots"] / later
            delay += shares * (arrival - decision)
            timing += shares * (price - arrival)
            impact += (x["spread_micros"] + x["impact_micros"]) / 1e6
            fees += x["commission_micros"] / 1e6
        later = float(np.prod(bars["split"][first + 1 : last + 1, i])) if whole else 1.0
        missed = (lots - filled) * size * (traded_close[last, i] * later - decision)
        wanted = {"delay": delay, "timing": timing, "impact": impact, "fees": fees, "opportunity": missed}
        assert {k: row[k] for k in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-6)  # 1
        assert (row["lots"], row["decision"], row["arrival"]) == pytest.approx((lots, decision, arrival))
        day = bars.ts[first] // DAY
        assert row["close"] == pytest.approx(traded_close[[t // DAY == day for t in bars.ts], i][-1])
        assert row["vwap"] == (None if not whole else pytest.approx(loop_vwap(bars, first, last, i), nan_ok=True))
    groups = set(found.by("when"))
    assert groups <= ({f"{h:02}:00" for h in range(24)} if step < DAY else {g for g in groups if " " in g})
    assert len(groups) > 3 and set(found.by("venue")) == {"XNAS", "XNYS"}


def loop_vwap(bars: Panel, first: int, last: int, i: int) -> float | None:
    """Mean price by volume, as traded."""
    worth = volume = 0.0
    for t in range(first, last + 1):
        mean = (bars["high"][t, i] + bars["low"][t, i] + bars["close"][t, i]) / 3.0
        mean *= bars["raw_close"][t, i] / bars["close"][t, i]
        worth += mean * bars["volume"][t, i]
        volume += bars["volume"][t, i]
    return worth / volume if volume else None


def test_it_is_on_the_page_and_in_the_numbers(tmp_path: Path) -> None:
    report = RunReport.of(*random_run(tmp_path, bars=60), 1, Beside())
    page = report.page({})
    assert '<section id="execution">' in page and "Implementation shortfall" in page and "By weekday" in page
    numbers = report.numbers()["execution"]
    assert isinstance(numbers, dict)
    total = numbers["total"]
    assert sum(total["parts"].values()) == pytest.approx(total["shortfall"])
    assert total["parts"]["fees"] == pytest.approx(1.0, rel=0.05) and total["parts"]["impact"] == pytest.approx(
        1.0, rel=0.05
    )


def test_a_run_without_orders_has_no_such_section(tmp_path: Path) -> None:
    page = RunReport.of(*random_run(tmp_path, bars=60, trades=False), 1, Beside()).page({})
    assert (
        "execution" not in page.split("<main>")[1].split("Metrics of the stages")[0].split("<nav")[1].split("</nav>")[0]
    )
    assert 'id="execution"' not in page
