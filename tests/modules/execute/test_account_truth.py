"""A second bookkeeper: the account of a real us5 run, with impact and borrow, from its fills and bars in plain Python.

Every fill's price, notional and three fees, and every bar's borrow, cash, positions and NAV agree to the micro; every
figure agrees to the last digits that the order of a sum may move.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modules.panel import Panel
from tests.pipelines import Desk

YEAR_NS = 365 * 86_400e9
LOT = 1e-4


def window(values: list[float]) -> list[float] | None:
    """The known values of the last 20, if they are five or more."""
    known = [v for v in values[-20:] if not math.isnan(v)]
    return known if len(known) >= 5 else None


class Books:
    """What is held, cash, and the fees so far, in micros."""

    def __init__(self, bars: Panel, settings: dict[str, Any]) -> None:
        self.bars, self.settings = bars, settings
        self.cash = round(settings["capital_usd"] * 1e6)
        self.lots, self.marks = dict.fromkeys(bars.symbols, 0), dict.fromkeys(bars.symbols, math.nan)
        self.fees = {"commission": 0, "spread": 0, "impact": 0, "borrow": 0}

    def pay(self, kind: str, amount: int) -> int:
        self.cash -= amount
        self.fees[kind] += amount
        return amount

    def worth(self, symbol: str) -> int:
        return round(self.lots[symbol] * LOT * self.marks[symbol] * 1e6) if self.lots[symbol] else 0

    def borrow(self, elapsed_ns: int) -> int:
        rate = self.settings["borrow_bps_year"] * 1e-4 * elapsed_ns / YEAR_NS
        return self.pay("borrow", sum(round(-self.worth(s) * rate) for s, n in self.lots.items() if n < 0))

    def fill(self, row: int, fill: dict[str, Any]) -> tuple[int, int]:
        i = self.bars.symbols.index(fill["symbol"])
        assert fill["price"] == self.bars["open"][row, i]
        close, volume = self.bars["close"][:row, i].tolist(), self.bars["volume"][:row, i].tolist()
        moves = window([(b / a - 1.0) ** 2 for a, b in zip(close[-21:], close[-20:], strict=False)])
        traded = window(volume)
        notional = round(fill["lots"] * LOT * fill["price"] * 1e6)
        impact = 0.0
        if moves and traded:
            sigma, adv = math.sqrt(sum(moves) / len(moves)), sum(traded) / len(traded)
            impact = self.settings["impact_k"] * sigma * math.sqrt(abs(fill["lots"]) * LOT / adv)
        rates = {
            "commission": self.settings["commission_bps"] * 1e-4,
            "spread": self.settings["half_spread_bps"] * 1e-4,
            "impact": impact,
        }
        fees = {kind: self.pay(kind, round(abs(notional) * rate)) for kind, rate in rates.items()}
        assert {"notional": notional} | fees == {k: fill[f"{k}_micros"] for k in ("notional", *fees)}
        self.cash -= notional
        self.lots[fill["symbol"]] += fill["lots"]
        return abs(notional), sum(fees.values())


@pytest.mark.slow
def test_a_second_bookkeeper_agrees(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    manifest = desk.run(desk.task(signal="rank(-returns(close, 5))", start="2003-01-02", end="2009-12-31"))
    found: dict[str, Any] = {k: desk.store.get(d) for r in manifest.stages for k, d in r.outputs.items()}
    bars, nav_table = found["bars"], found["nav"]
    books = Books(bars, manifest.stages[-1].settings)
    row_of = {int(t): i for i, t in enumerate(bars.ts)}
    ordered = dict(zip(found["orders"]["order_id"], found["orders"]["event_time"].to_physical(), strict=True))
    fills: dict[int, list[dict[str, Any]]] = {}
    for at, fill in zip(found["fills"]["event_time"].to_physical(), found["fills"].iter_rows(named=True), strict=True):
        assert row_of[ordered[fill["order_id"]]] == row_of[at] - 1
        fills.setdefault(at, []).append(fill)
    navs: list[int] = []
    net, gross, turnover = [0.0], [0.0], [0.0]
    before = None
    for at, said in zip(nav_table["event_time"].to_physical(), nav_table.iter_rows(named=True), strict=True):
        costs = borrowed = books.borrow(at - before) if before is not None else 0
        traded = 0
        for fill in fills.get(at, []):
            notional, fees = books.fill(row_of[at], fill)
            traded, costs = traded + notional, costs + fees
        for i, symbol in enumerate(bars.symbols):
            close = float(bars["close"][row_of[at], i])
            books.marks[symbol] = books.marks[symbol] if math.isnan(close) else close
        held = sum(books.worth(s) for s in bars.symbols)
        expected = (said["cash_micros"], said["positions_micros"], said["nav_micros"], said["borrow_micros"])
        assert (books.cash, held, books.cash + held, borrowed) == expected
        if navs:
            net.append((books.cash + held - navs[-1]) / navs[-1])
            gross.append((books.cash + held - navs[-1] + costs) / navs[-1])
            turnover.append(traded / navs[-1])
        navs.append(books.cash + held)
        before = at
    assert [pytest.approx(x, abs=1e-15) for x in net] == nav_table["net_return"].to_list()
    assert len(navs) > 1_700 and books.fees["impact"] > 0 and books.fees["borrow"] > 0
    figures = {"net_sharpe": sharpe(net), "gross_sharpe": sharpe(gross), "turnover": 252 * sum(turnover) / len(navs)}
    figures["max_drawdown"] = max(1.0 - x / max(navs[: i + 1]) for i, x in enumerate(navs))
    figures["annual_return"] = (navs[-1] / navs[0]) ** (252 / len(navs)) - 1.0
    figures |= {f"{kind}_usd": amount / 1e6 for kind, amount in books.fees.items()}
    figures["total_cost_usd"] = sum(books.fees.values()) / 1e6
    figures["net_pnl_usd"] = (navs[-1] - navs[0]) / 1e6
    for name, value in figures.items():
        assert manifest.metrics[name] == pytest.approx(value, rel=1e-9), name
    month = pl.DataFrame({"m": nav_table["event_time"].dt.truncate("1mo"), "nav": navs}).group_by("m").last().sort("m")
    grown = [b / a for a, b in zip([navs[0], *month["nav"].to_list()], month["nav"].to_list(), strict=False)]
    assert math.prod(grown) == pytest.approx(math.prod(1.0 + x for x in net), rel=1e-9)


def sharpe(returns: list[float]) -> float:
    mean = sum(returns) / len(returns)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in returns) / (len(returns) - 1))
    return mean / deviation * math.sqrt(252)
