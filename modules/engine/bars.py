"""`simulate`: bars, target weights and instruments to an account, through the loop of `loop.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.engine.accounting import (
    EXACT_LIMIT,
    FAULT_ROW,
    FAULT_SYMBOL,
    MICROS,
    ActionLog,
    BarLog,
    Book,
    EngineError,
    EngineOverflowError,
    FillLog,
    Market,
    OrderLog,
    Terms,
    new_bar_log,
    new_book,
    new_fill_log,
    new_order_log,
)
from modules.engine.actions import new_action_log
from modules.engine.costs import BPS
from modules.engine.limits import RiskLimits
from modules.engine.loop import advance
from modules.engine.market import build_market, opens_everywhere
from modules.engine.result import Simulation
from modules.engine.settings import Costs, FillWithoutOpen, Liquidity, TradingSettings
from modules.panel import FloatArray, IntArray, Panel, iso, read_only


def first_row(ts: IntArray, start_ns: int) -> int:
    """Index of the first bar at or after `start_ns`. Raises EngineError where there is none."""
    row = int(np.searchsorted(ts, start_ns, side="left"))
    if row >= ts.size:
        last = iso(int(ts[-1])) if ts.size else "no bar"
        raise EngineError(f"start {iso(start_ns)} lies after the last bar ({last}); choose an earlier start")
    return row


def target_rows(bars: Panel, weights: Panel, start: int) -> FloatArray:
    """Weights on the axes of `bars` from row `start` on, C order; symbols without weights have 0.

    Raises EngineError for a weight on an unknown symbol or bar, a bar without weights, or a weight not finite.
    """
    column = {s: i for i, s in enumerate(bars.symbols)}
    strange = [s for s in weights.symbols if s not in column]
    if strange:
        raise EngineError(f"weights hold {', '.join(strange[:5])}, of which there are no bars; drop them or add bars")
    wanted = bars.ts[start:]
    given = weights.ts[int(np.searchsorted(weights.ts, wanted[0], side="left")) :]
    if not np.array_equal(given, wanted):
        lacking = np.setdiff1d(wanted, given)
        extra = np.setdiff1d(given, wanted)
        what = f"no row at {iso(int(lacking[0]))}" if lacking.size else f"a row at {iso(int(extra[0]))} without a bar"
        raise EngineError(
            f"weights have {what} ({lacking.size} missing, {extra.size} extra); give one row of weights for each bar "
            f"from {iso(int(wanted[0]))} on"
        )
    values = weights["weight"][weights.ts.size - given.size :]
    if not bool(np.isfinite(values).all()):
        r, c = (int(x[0]) for x in np.nonzero(~np.isfinite(values)))
        raise EngineError(
            f"weight of {weights.symbols[c]} at {iso(int(given[r]))} is {values[r, c]}; a target must be finite "
            "(0 = hold nothing)"
        )
    if weights.symbols == bars.symbols:
        return read_only(np.ascontiguousarray(values))
    out = np.zeros((wanted.size, len(bars.symbols)))
    out[:, [column[s] for s in weights.symbols]] = values
    return read_only(out)


def signal_on(bars: Panel, signal: Panel) -> FloatArray:
    """The field `signal` of a panel that must stand on the axes of `bars`; NaN for what is not in the universe at its
    bar, so that nobody is ranked among those who joined later. Raises EngineError where the axes differ."""
    if signal.symbols != bars.symbols or not np.array_equal(signal.ts, bars.ts):
        raise EngineError(
            f"signal has axes {signal.shape} and bars {bars.shape}, or other times or symbols in them; "
            "a signal must have one row per bar and one column per symbol of bars"
        )
    values = signal["signal"]
    return np.where(bars["member"] == 0.0, np.nan, values) if "member" in bars else values


def trade(
    bars: Panel, weights: Panel, instruments: pl.DataFrame, settings: TradingSettings, start_ns: int
) -> Simulation:
    """`simulate` with the terms of `settings`."""
    return simulate(
        bars,
        weights,
        instruments,
        capital_usd=settings.capital_usd,
        costs=settings.costs,
        limits=settings.limits,
        start_ns=start_ns,
        min_order_usd=settings.min_order_usd,
        fill_without_open=settings.fill_without_open,
        liquidity=settings.liquidity,
    )


@dataclass(frozen=True)
class Run:
    """An account about to be simulated: what the loop reads, and what it writes."""

    bars: Panel
    start: int  # row of the bars at which the account begins
    market: Market
    terms: Terms
    book: Book
    log: BarLog
    orders: OrderLog
    fills: FillLog
    acts: ActionLog
    early_fills: bool

    def finish(self, work: Callable[[], object]) -> Simulation:
        """Do the bars, and collect what they left. Raises EngineOverflowError where an amount leaves int64 micros."""
        try:
            work()
        except OverflowError as error:
            at, who = int(self.book.totals[FAULT_ROW]), int(self.book.totals[FAULT_SYMBOL])
            raise EngineOverflowError(
                f"{error} at {iso(int(self.bars.ts[at]))}, symbol {self.bars.symbols[who]}: int64 micro-units stay "
                "exact up to 9.0 billion of the currency; use less capital_usd, a larger lot_size, or check the price"
            ) from None
        return Simulation.collect(
            self.bars, self.start, self.market, self.book, self.log, self.orders, self.fills, self.acts,
            early_fills=self.early_fills,
        )  # fmt: skip


def prepare(
    bars: Panel,
    instruments: pl.DataFrame,
    *,
    capital_usd: float,
    costs: Costs,
    limits: RiskLimits,
    start_ns: int,
    min_order_usd: float = 0.0,
    fill_without_open: FillWithoutOpen = "next_close",
    liquidity: Liquidity | None = None,
) -> Run:
    """An account that holds `capital_usd` in cash at the first bar at or after `start_ns`.

    Raises EngineError for input that does not fit together.
    """
    capital = capital_usd * MICROS
    if not 0.0 < capital < EXACT_LIMIT:
        raise EngineError(f"capital_usd = {capital_usd} must be above 0 and below {EXACT_LIMIT / MICROS:.0f}")
    start = first_row(bars.ts, start_ns)
    rows, symbols = bars.ts.size - start, len(bars.symbols)
    liquidity = liquidity or Liquidity()
    market = build_market(bars, instruments, fill_without_open, liquidity)
    return Run(
        bars=bars,
        start=start,
        market=market,
        terms=Terms(
            half_spread=costs.half_spread_bps * BPS,
            commission=costs.commission_bps * BPS,
            impact_k=costs.impact_k,
            borrow_year=costs.borrow_bps_year * BPS,
            max_instrument=limits.max_instrument_nav,
            max_sector=limits.max_sector_nav,
            max_daily_loss=limits.max_daily_loss,
            max_trade_risk=limits.max_trade_risk,
            min_order=min_order_usd * MICROS,
            commission_share=costs.commission_share_usd * MICROS,
            commission_trade=costs.commission_trade_usd * MICROS,
            commission_least=costs.commission_minimum_usd * MICROS,
            permanent_gamma=costs.permanent_impact_gamma,
            funding_year=costs.funding_bps_year * BPS,
            participation=liquidity.participation,
            rests=1.0 if liquidity.remainder == "stays" else 0.0,
        ),
        book=new_book(symbols, int(market.sectors.max(initial=0)) + 1, int(np.rint(capital))),
        log=new_bar_log(rows, symbols),
        orders=new_order_log(rows * symbols),
        fills=new_fill_log(rows * symbols),
        acts=new_action_log(3 * market.events.symbol.size),
        early_fills=fill_without_open == "previous_close" and not opens_everywhere(bars),
    )


def simulate(
    bars: Panel,
    weights: Panel,
    instruments: pl.DataFrame,
    *,
    capital_usd: float,
    costs: Costs,
    limits: RiskLimits,
    start_ns: int,
    min_order_usd: float = 0.0,
    fill_without_open: FillWithoutOpen = "next_close",
    liquidity: Liquidity | None = None,
) -> Simulation:
    """Trade `weights` over `bars` from `start_ns` on and keep the account.

    `bars` may hold earlier rows: they warm up volatility and volume and are not traded. The first row of the
    account is the first bar at or after `start_ns`, with all capital in cash. Where the bars state corporate actions,
    prices as traded are what is bought and held (`actions.py`), and targets of symbols outside the universe are 0.
    Raises EngineError for input that does not fit together, EngineOverflowError where an amount leaves int64 micros.
    """
    run = prepare(
        bars,
        instruments,
        capital_usd=capital_usd,
        costs=costs,
        limits=limits,
        start_ns=start_ns,
        min_order_usd=min_order_usd,
        fill_without_open=fill_without_open,
        liquidity=liquidity,
    )
    targets = target_rows(bars, weights, run.start)
    return run.finish(
        lambda: advance(
            run.market,
            targets,
            run.terms,
            run.book,
            run.log,
            run.orders,
            run.fills,
            run.acts,
            run.start,
            bars.ts.size,
            run.start,
        )
    )
