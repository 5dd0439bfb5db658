"""What a simulation leaves: integer logs, and the tables and figures made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.engine import metrics as m
from modules.engine.accounting import (
    ACTED,
    BELOW_LOT,
    FILLS,
    MICROS,
    NEXT_ORDER,
    OUTSIDE,
    PARTIAL,
    UNFILLED,
    UNPRICED,
    ActionLog,
    BarLog,
    Book,
    FillLog,
    Market,
    OrderLog,
)
from modules.engine.actions import KINDS, has_actions
from modules.engine.costs import NO_VOLUME_NOTE
from modules.engine.risk import Decision, Rule
from modules.panel import FloatArray, IntArray, Panel, iso

DECISIONS = [d.name for d in Decision]
EARLY_FILLS_NOTE = "fills without an open are at the close of the decision: the open is taken to be the previous close"
RULES = [r.name.lower() for r in Rule]


@dataclass(frozen=True, eq=False)
class Simulation:
    """The account of one simulation, from its first traded bar on. Money in micros, exact."""

    ts: IntArray
    symbols: tuple[str, ...]
    start: int
    bars: BarLog
    orders: OrderLog
    fills: FillLog
    acts: ActionLog
    book: Book
    acting: bool
    outside: int
    partial: int
    unfilled: int
    unpriced: int
    below_lot: int
    unpriced_positions: int
    has_volume: bool
    early_fills: bool

    @classmethod
    def collect(
        cls,
        bars: Panel,
        start: int,
        market: Market,
        book: Book,
        log: BarLog,
        orders: OrderLog,
        fills: FillLog,
        acts: ActionLog,
        *,
        early_fills: bool,
    ) -> Simulation:
        """Cut the logs to what was written."""
        n, k = int(book.totals[NEXT_ORDER]), int(book.totals[FILLS])
        return cls(
            ts=bars.ts[start:],
            symbols=bars.symbols,
            start=start,
            bars=log,
            orders=OrderLog._make(column[:n] for column in orders),
            fills=FillLog._make(column[:k] for column in fills),
            acts=ActionLog._make(column[: int(book.totals[ACTED])] for column in acts),
            book=book,
            acting=has_actions(bars),
            outside=int(book.totals[OUTSIDE]),
            partial=int(book.totals[PARTIAL]),
            unfilled=int(book.totals[UNFILLED]),
            unpriced=int(book.totals[UNPRICED]),
            below_lot=int(book.totals[BELOW_LOT]),
            unpriced_positions=int(np.count_nonzero((book.lots != 0) & np.isnan(bars["close"][-1]))),
            has_volume="volume" in bars,
            early_fills=early_fills,
        )

    @property
    def costs_micros(self) -> IntArray:
        """All costs of each bar, `[T]`."""
        b = self.bars
        return b.commission + b.spread + b.impact + b.borrow + b.funding

    def _over_nav_before(self, amount: FloatArray) -> FloatArray:
        """`amount / NAV of the bar before`; 0 on the first bar and where that NAV is not positive."""
        out = np.zeros(amount.size)
        before = self.bars.nav[:-1].astype(np.float64)
        np.divide(amount[1:], before, out=out[1:], where=before > 0.0)
        return out

    def net_returns(self) -> FloatArray:
        """(NAV - NAV before) / NAV before, `[T]`; 0 on the first bar."""
        change = np.diff(self.bars.nav, prepend=self.bars.nav[:1]).astype(np.float64)
        return self._over_nav_before(change)

    def gross_returns(self) -> FloatArray:
        """The same trades and positions with no cost charged on this bar: net return + costs / NAV before."""
        change = np.diff(self.bars.nav, prepend=self.bars.nav[:1])
        return self._over_nav_before((change + self.costs_micros).astype(np.float64))

    def turnover(self) -> FloatArray:
        """Sum of |notional| traded (buys and sells) / NAV before, `[T]`."""
        return self._over_nav_before(self.bars.traded.astype(np.float64))

    def nav(self) -> pl.DataFrame:
        """The account at the close of each bar (NavSchema); dividends and cash for lots where the data state actions,
        funding where any was paid."""
        b = self.bars
        nav = b.nav.astype(np.float64)
        safe = np.where(nav > 0.0, nav, np.inf)
        return pl.DataFrame(
            {
                "event_time": self._times(self.ts),
                "nav_micros": b.nav,
                "cash_micros": b.cash,
                "positions_micros": b.positions,
                "commission_micros": b.commission,
                "spread_micros": b.spread,
                "impact_micros": b.impact,
                "borrow_micros": b.borrow,
                "gross_return": self.gross_returns(),
                "net_return": self.net_returns(),
                "turnover": self.turnover(),
                "gross_exposure": (b.long + b.short).astype(np.float64) / safe,
                "net_exposure": (b.long - b.short).astype(np.float64) / safe,
                **({"funding_micros": b.funding} if b.funding.any() else {}),
                **({"dividend_micros": b.dividends, "settled_micros": b.settled} if self.acting else {}),
            }
        )

    def orders_table(self) -> pl.DataFrame:
        """Every order with its decision (OrdersSchema)."""
        o = self.orders
        named = pl.DataFrame({"symbol": o.symbol, "decision": o.decision, "rule": o.rule})
        words = {"decision": pl.Series(DECISIONS, dtype=pl.Enum(DECISIONS)), "rule": pl.Series(RULES)}
        columns = named.select(
            pl.lit(pl.Series(self.symbols, dtype=pl.String)).gather(pl.col("symbol")).alias("symbol"),
            *(pl.lit(values).gather(pl.col(name)).alias(name) for name, values in words.items()),
        )
        return pl.DataFrame(
            {
                "order_id": np.arange(o.row.size, dtype=np.int64),
                "event_time": self._event_times(o.row),
                "symbol": columns["symbol"],
                "asked_lots": o.asked,
                "allowed_lots": o.allowed,
                "decision": columns["decision"],
                "rule": columns["rule"],
                "limit": pl.Series(o.limit).fill_nan(None),
                "value": pl.Series(o.value).fill_nan(None),
            }
        )

    def fills_table(self) -> pl.DataFrame:
        """Every fill (FillsSchema)."""
        f = self.fills
        return pl.DataFrame(
            {
                "order_id": f.order,
                "event_time": self._event_times(f.row),
                "symbol": self._names(f.symbol),
                "lots": f.lots,
                "price": f.price,
                "notional_micros": f.notional,
                "commission_micros": f.commission,
                "spread_micros": f.spread,
                "impact_micros": f.impact,
            }
        )

    def actions_table(self) -> pl.DataFrame | None:
        """What corporate actions did to positions (AccountActionsSchema); None where the data state none."""
        if not self.acting:
            return None
        a = self.acts
        return pl.DataFrame(
            {
                "event_time": self._times(self.ts[a.row - self.start]),
                "symbol": self._names(a.symbol),
                "kind": pl.Series(KINDS).gather(a.kind.astype(np.uint32)).cast(pl.Enum(KINDS)),
                "lots_before": a.before,
                "lots_after": a.after,
                "price": a.price,
                "cash_micros": a.cash,
            }
        )

    def positions(self) -> Panel:
        """Lots held at the close of each bar."""
        return Panel(self.ts, self.symbols, {"lots": self.bars.lots.astype(np.float64)})

    def metrics(self) -> dict[str, float]:
        """Figures of the account; what does not exist is absent. Fractions, years of `bars_per_year`, dollars."""
        per_year = m.bars_per_year(self.ts)
        net, gross = self.net_returns(), self.gross_returns()
        b = self.bars
        costs = {name: int(getattr(b, name).sum()) for name in ("commission", "spread", "impact", "borrow", "funding")}
        if costs["funding"] == 0:
            del costs["funding"]
        all_costs = sum(costs.values())
        pnl = int(b.nav[-1]) - int(b.nav[0])
        gross_pnl = pnl + all_costs
        years = self.ts.size / per_year
        figures = {
            "gross_sharpe": m.sharpe(gross, per_year),
            "net_sharpe": m.sharpe(net, per_year),
            "annual_return": m.annual_return(net, per_year),
            "annual_volatility": m.annual_volatility(net, per_year),
            "max_drawdown": m.max_drawdown(b.nav.astype(np.float64)),
            "turnover": m.total(self.turnover()) / years,
            "mean_gross_exposure": m.mean((b.long + b.short) / np.where(b.nav > 0, b.nav, np.inf)),
            "total_cost_usd": all_costs / MICROS,
            "gross_pnl_usd": gross_pnl / MICROS,
            "net_pnl_usd": pnl / MICROS,
            "cost_share": all_costs / gross_pnl if gross_pnl > 0 else float("nan"),
            "cost_bps_year": m.total(gross - net) / years * 1e4,
            "bars": float(self.ts.size),
            "bars_per_year": per_year,
            "orders": float(self.orders.row.size),
            "fills": float(self.fills.row.size),
            "unfilled": float(self.unfilled),
        }
        figures |= {f"{name}_usd": value / MICROS for name, value in costs.items()}
        if self.acting:
            figures |= {"dividends_usd": int(b.dividends.sum()) / MICROS, "settled_usd": int(b.settled.sum()) / MICROS}
            figures["actions"] = float(self.acts.row.size)
        figures |= self.decision_counts()
        return m.present(figures)

    def decision_counts(self) -> dict[str, float]:
        """`approved`, `reduced`, `rejected`, `flattened`, and `reduced.RULE`, `rejected.RULE` where there are any."""
        counts: dict[str, float] = {}
        words = {
            Decision.APPROVE: "approved",
            Decision.REDUCE: "reduced",
            Decision.REJECT: "rejected",
            Decision.FLATTEN: "flattened",
        }
        for decision, word in words.items():
            mask = self.orders.decision == int(decision)
            counts[word] = float(np.count_nonzero(mask))
            if decision in (Decision.REDUCE, Decision.REJECT):
                found = np.bincount(self.orders.rule[mask], minlength=len(RULES))
                counts |= {f"{word}.{RULES[r]}": float(n) for r, n in enumerate(found) if n}
        return counts

    def notes(self) -> tuple[str, ...]:
        """What a reader must know: no trades, orders held back, what is not modelled."""
        found = []
        if self.fills.row.size == 0:
            why = (
                f"{self.orders.row.size} orders, none filled"
                if self.orders.row.size
                else "no target asked for an order"
            )
            found.append(f"ZERO TRADES: {why} in {self.ts.size} bars")
        if not self.has_volume:
            found.append(NO_VOLUME_NOTE)
        if self.early_fills:
            found.append(EARLY_FILLS_NOTE)
        if self.unfilled:
            found.append(f"{self.unfilled} orders expired unfilled: no price or zero volume at their bar")
        if self.partial:
            found.append(f"{self.partial} fills were cut by max_participation")
        if self.outside:
            found.append(f"{self.outside} targets were on symbols outside the universe at their bar and count as 0")
        gone = np.flatnonzero(self.acts.kind == KINDS.index("delisting"))
        if gone.size:
            shown = ", ".join(f"{self.symbols[self.acts.symbol[k]]} {iso(int(self._at(k)))}" for k in gone[:5])
            found.append(f"{gone.size} positions were closed by delisting: {shown}")
        if self.unpriced:
            found.append(f"{self.unpriced} targets were on symbols that had never had a price; nothing was ordered")
        if self.below_lot:
            found.append(
                f"{self.below_lot} targets were worth less than one lot and hold nothing, so the weights traded are not"
                " those asked for: more capital_usd or a smaller lot_size"
            )
        if self.unpriced_positions:
            found.append(
                f"{self.unpriced_positions} positions have no price at the last bar and stand at their last known one"
            )
        if bool((self.bars.nav <= 0).any()):
            found.append("ACCOUNT LOST: NAV fell to zero or below; returns after that are 0")
        return tuple(found)

    def _event_times(self, rows: np.ndarray[tuple[int], np.dtype[np.int32]]) -> pl.Series:
        """The time of each row of a log, which stand in the order of time."""
        return self._times(np.repeat(self.ts, np.bincount(rows - self.start, minlength=self.ts.size)))

    def _at(self, k: int) -> int:
        return int(self.ts[int(self.acts.row[k]) - self.start])

    def _names(self, index: np.ndarray[tuple[int], np.dtype[np.int32]]) -> pl.Series:
        return pl.Series(list(self.symbols), dtype=pl.String).gather(index.astype(np.uint32))

    @staticmethod
    def _times(ts: IntArray) -> pl.Series:
        return pl.Series(ts).cast(pl.Datetime("ns", "UTC"))
