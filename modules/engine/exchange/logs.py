"""What a run leaves: logs drained from the machine as it goes, and the tables made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modules.engine.exchange import layout as f
from modules.engine.exchange.events import Stream
from modules.engine.exchange.orders import OrderType, Reason, State, TimeInForce
from modules.engine.result import DECISIONS, RULES
from modules.panel import FloatArray, IntArray

_LOGS = (
    (f.H_OPENED, f.H_OPENED_AT, f.OPENED),
    (f.H_CLOSED, f.H_CLOSED_AT, f.CLOSED),
    (f.H_FILLS, f.H_FILLS_AT, f.FILL),
    (f.H_NAVS, f.H_NAVS_AT, f.NAV_ROW),
)


@dataclass
class Logs:
    """Rows of the four logs, in chunks as they were drained: orders asked for, orders ended, fills, NAV."""

    chunks: tuple[list[IntArray], ...] = field(default_factory=lambda: ([], [], [], []))
    bounds: list[FloatArray] = field(default_factory=list)

    def drain(self, a: IntArray, r: FloatArray) -> None:
        """Take every row out of the machine."""
        opened = int(a[f.H_OPENED])
        begin = f.F_HEAD + int(a[f.H_SYMBOLS]) * f.F_SYMBOL
        self.bounds.append(r[begin : begin + 2 * opened].reshape(opened, 2).copy())
        for kept, (count, place, width) in zip(self.chunks, _LOGS, strict=True):
            rows, at = int(a[count]), int(a[place])
            kept.append(a[at : at + rows * width].reshape(rows, width).copy())
            a[count] = 0
        a[f.H_DRAIN] = 0

    def rows(self, log: int) -> IntArray:
        """All rows of a log, `[n, width]`."""
        return np.concatenate([*self.chunks[log], np.zeros((0, _LOGS[log][2]), dtype=np.int64)])


def _times(ns: NDArray[np.int64]) -> pl.Series:
    return pl.Series(np.ascontiguousarray(ns)).cast(pl.Datetime("ns", "UTC"))


def _words(words: list[str], index: NDArray[np.int64]) -> pl.Series:
    return pl.Series(words, dtype=pl.String).gather(np.ascontiguousarray(index).astype(np.uint32))


@dataclass(frozen=True, eq=False)
class Replay:
    """The account of one run over a stream. Money in micros, exact."""

    stream: Stream
    machine: IntArray
    constants: FloatArray
    logs: Logs
    callbacks: int

    @property
    def symbols(self) -> list[str]:
        """Names of the symbols."""
        return [x.symbol for x in self.stream.instruments]

    def positions(self) -> dict[str, int]:
        """Lots held at the end."""
        return {name: int(self.machine[f.HEAD + k * f.SYMBOL + f.S_LOTS]) for k, name in enumerate(self.symbols)}

    @property
    def nav_micros(self) -> int:
        """NAV at the end."""
        return int(self.machine[f.H_NAV])

    def orders(self) -> pl.DataFrame:
        """Every order asked for with its decision (OrdersSchema), then its terms, and how it ended.

        `state` is "open" where it had not ended. `reason` says why it was refused, or ended unfilled.
        """
        o = self.logs.rows(0)
        bounds = np.concatenate([*self.logs.bounds, np.zeros((0, 2))])
        decided = (o[:, f.T_REASON] == int(Reason.NONE)) | (o[:, f.T_REASON] == int(Reason.RISK))
        rules = _words(RULES, o[:, f.T_RULE])
        reasons = [x.name.lower() for x in Reason]
        known = (o[:, f.T_SYMBOL] >= 0) & (o[:, f.T_SYMBOL] < len(self.symbols))
        table = pl.DataFrame(
            {
                "order_id": o[:, f.T_ID],
                "event_time": _times(o[:, f.T_TIME]),
                "symbol": _words([*self.symbols, "?"], np.where(known, o[:, f.T_SYMBOL], len(self.symbols))),
                "asked_lots": o[:, f.T_ASKED],
                "allowed_lots": o[:, f.T_ALLOWED],
                "decision": _words(DECISIONS, o[:, f.T_DECISION]).cast(pl.Enum(DECISIONS)),
                "rule": pl.select(
                    pl.when(pl.Series(decided)).then(rules).otherwise(_words(reasons, o[:, f.T_REASON]))
                ).to_series(),
                "limit": pl.Series(bounds[:, 0]).fill_nan(None),
                "value": pl.Series(bounds[:, 1]).fill_nan(None),
                "type": _words([x.name.lower() for x in OrderType], np.clip(o[:, f.T_TYPE], 0, 3)),
                "tif": _words([x.name.lower() for x in TimeInForce], np.clip(o[:, f.T_TIF], 0, 3)),
                "post_only": o[:, f.T_POST] == 1,
                "price_ticks": o[:, f.T_PRICE],
                "stop_ticks": o[:, f.T_STOP],
                "client_id": o[:, f.T_CLIENT],
                "refused": _words(reasons, o[:, f.T_REASON]),
            }
        )
        c = self.logs.rows(1)
        ends = pl.DataFrame(
            {
                "order_id": c[:, f.C_ID],
                "end_time": _times(c[:, f.C_TIME]),
                "state": _words([x.name.lower() for x in State], c[:, f.C_STATE]),
                "filled_lots": c[:, f.C_FILLED],
                "end_reason": _words(reasons, c[:, f.C_REASON]),
            }
        )
        left = table.join(ends, on="order_id", how="left", maintain_order="left")
        sent = pl.col("refused") == "none"
        return left.with_columns(
            state=pl.when(sent).then(pl.col("state").fill_null("open")).otherwise(pl.lit("rejected")),
            filled_lots=pl.col("filled_lots").fill_null(0),
            reason=pl.when(sent).then(pl.col("end_reason").fill_null("none")).otherwise(pl.col("refused")),
        ).drop("refused", "end_reason")

    def fills(self) -> pl.DataFrame:
        """Every fill as the account booked it (FillsSchema), then when it happened and whether it rested."""
        x = self.logs.rows(2)
        symbol = x[:, f.L_SYMBOL]
        top, bottom = (np.array(v)[symbol] for v in zip(*(i.ratio() for i in self.stream.instruments), strict=True))
        return pl.DataFrame(
            {
                "order_id": x[:, f.L_ID],
                "event_time": _times(x[:, f.L_TIME]),
                "symbol": _words(self.symbols, symbol),
                "lots": x[:, f.L_LOTS],
                "price": x[:, f.L_PRICE].astype(np.float64) * top / bottom,
                "notional_micros": x[:, f.L_NOTIONAL],
                "commission_micros": x[:, f.L_COMMISSION],
                "spread_micros": x[:, f.L_SPREAD],
                "impact_micros": x[:, f.L_IMPACT],
                "exchange_time": _times(x[:, f.L_EXCHANGE_NS]),
                "maker": x[:, f.L_MAKER] == 1,
            }
        )

    def nav(self) -> pl.DataFrame:
        """The account at the last event before each boundary of `nav_every_s`, and at the end (NavSchema)."""
        n = self.logs.rows(3)
        # the last row stands for its instant; what was paid in an earlier row of it is paid in the last
        time = n[:, f.N_TIME]
        keep = np.append(time[1:] != time[:-1], True)
        group = np.concatenate([[0], np.cumsum(keep)[:-1]])
        paid = np.zeros((int(keep.sum()), 4), dtype=np.int64)
        np.add.at(paid, group, n[:, [f.N_COMMISSION, f.N_SPREAD, f.N_IMPACT, f.N_TRADED]])
        n = n[keep]
        nav = n[:, f.N_NAV]
        change = np.diff(nav, prepend=nav[:1])
        before = np.concatenate([nav[:1], nav[:-1]]).astype(np.float64)

        def share(amount: NDArray[np.int64], of: FloatArray) -> FloatArray:
            out = np.zeros(amount.size)
            return np.divide(amount.astype(np.float64), of, out=out, where=of > 0.0)

        now = nav.astype(np.float64)
        costs = paid[:, 0] + paid[:, 1] + paid[:, 2]
        return pl.DataFrame(
            {
                "event_time": _times(n[:, f.N_TIME]),
                "nav_micros": nav,
                "cash_micros": n[:, f.N_CASH],
                "positions_micros": n[:, f.N_POSITIONS],
                "commission_micros": paid[:, 0],
                "spread_micros": paid[:, 1],
                "impact_micros": paid[:, 2],
                "borrow_micros": np.zeros(nav.size, dtype=np.int64),
                "gross_return": share(change + costs, before),
                "net_return": share(change, before),
                "turnover": share(paid[:, 3], before),
                "gross_exposure": share(n[:, f.N_LONG] + n[:, f.N_SHORT], now),
                "net_exposure": share(n[:, f.N_LONG] - n[:, f.N_SHORT], now),
            }
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        found = []
        orders, fills = sum(len(x) for x in self.logs.chunks[0]), sum(len(x) for x in self.logs.chunks[2])
        if fills == 0:
            found.append(f"ZERO TRADES: {orders} orders in {self.stream.size} events, none filled")
        if self.stream.quarantine.height:
            found.append(f"{self.stream.quarantine.height} rows of the data are in quarantine and were not replayed")
        if bool((self.logs.rows(3)[:, f.N_NAV] <= 0).any()):
            found.append("ACCOUNT LOST: NAV fell to zero or below; returns after that are 0")
        return tuple(found)
