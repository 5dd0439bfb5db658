"""The risk decision told again, slowly: every control on every position summed anew, in whole numbers and fractions.

It shares no code with the risk core. Money is exact (fractions of a dollar); where the core works in floats, an answer
may lie within `SLACK` of a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite, sqrt

from modules.live.risk.core import Instrument, Intent
from modules.live.risk.limits import LiveLimits

SLACK = Fraction(1, 10**7)


@dataclass
class Book:
    """What an account holds and has on its way."""

    limits: LiveLimits
    instruments: dict[str, Instrument]
    cash: Fraction
    power: Fraction
    prices: dict[str, float] = field(default_factory=dict)
    priced_ns: dict[str, int] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)  # by strategy and symbol
    orders: dict[str, tuple[Intent, int]] = field(default_factory=dict)
    sent_ns: list[tuple[int, str, bool]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    navs: list[Fraction] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    killed: bool = False

    def value(self, symbol: str, lots: int, price: float | None = None) -> Fraction:
        at = self.prices.get(symbol) if price is None else price
        if not lots or at is None:
            return Fraction(0)
        return Fraction(lots) * Fraction(self.instruments[symbol].lot_size) * Fraction(at)

    def lots(self, symbol: str, strategy: str | None = None) -> int:
        return sum(n for (who, what), n in self.held.items() if what == symbol and strategy in (None, who))

    def on_its_way(self, symbol: str, side: int, strategy: str | None = None) -> int:
        found = (left for o, left in self.orders.values() if o.symbol == symbol and strategy in (None, o.strategy))
        return sum(left for left in found if left * side > 0)

    def sides(self, symbol: str, strategy: str | None = None) -> tuple[int, int]:
        held = self.lots(symbol, strategy)
        return held + self.on_its_way(symbol, 1, strategy), held + self.on_its_way(symbol, -1, strategy)

    def larger(self, symbol: str, strategy: str | None = None) -> Fraction:
        return max(abs(self.value(symbol, n)) for n in self.sides(symbol, strategy))

    @property
    def nav(self) -> Fraction:
        return self.cash + sum(self.value(s, self.lots(s)) for s in self.instruments)

    # --- the controls, in order ---------------------------------------------------------------------

    def refusal(self, o: Intent) -> str | None:
        """The first control that refuses the order whole, or None."""
        return next(self._refusals(o), None)

    def _refusals(self, o: Intent) -> Iterator[str]:
        limits = self.limits
        if self.killed:
            yield "KILLED"
        first = self.navs[0]
        if first > 0 and 1 - min(self.navs) / first >= Fraction(limits.max_daily_loss):
            yield "DAILY_LOSS"
        if self._fall() >= Fraction(limits.max_drawdown):
            yield "DRAWDOWN"
        known = self.instruments.get(o.symbol)
        for name, wrong in (
            ("MODE", o.mode != "paper"),
            ("BUILD", o.build != "b1"),
            ("STRATEGY", o.strategy not in limits.strategies),
            ("VENUE", o.venue not in limits.venues),
            ("INSTRUMENT", known is None),
        ):
            if wrong:
                yield name
        assert known is not None
        now, side = o.now_ns, 1 if o.lots > 0 else -1
        held = self.lots(o.symbol)
        if o.symbol in limits.restricted and (o.lots == 0 or abs(held + o.lots) + abs(o.lots) != abs(held)):
            yield "RESTRICTED"
        if o.symbol in self.closed:
            yield "MARKET_STATE"
        if o.order_type not in limits.order_types:
            yield "ORDER_TYPE"
        if o.time_in_force not in limits.times_in_force:
            yield "TIME_IN_FORCE"
        if o.lots == 0:
            yield "QUANTITY"
        limited = o.order_type == "limit"
        if limited and not (isfinite(o.limit_price) and o.limit_price > 0):
            yield "LIMIT_PRICE"
        if limited:
            cents = o.limit_price / known.tick
            if abs(cents - round(cents)) > 1e-4:
                yield "TICK"
        if o.parent_left >= 0 and abs(o.lots) > o.parent_left:
            yield "PARENT"
        if sum(1 for at, _, _ in self.sent_ns if now - at < 10**9) >= limits.messages_a_second:
            yield "MESSAGE_RATE"
        if o.client_id in self.seen:
            yield "DUPLICATE"
        same = [at for at, symbol, bought in self.sent_ns if symbol == o.symbol and bought == (side > 0)]
        if sum(1 for at in same if now - at < 60 * 10**9) >= limits.repeats_a_minute:
            yield "REPEATED"
        price = self.prices.get(o.symbol)
        if price is None:
            yield "REFERENCE_PRICE"
        assert price is not None
        if self.is_old(o) and not self.closing(o):
            yield "STALE_PRICE"
        if limited and abs(o.limit_price / price - 1) > limits.collar:
            yield "COLLAR"
        theirs = [x.limit_price for x, left in self.orders.values() if x.symbol == o.symbol and left * side < 0]
        quotes = [p for p in theirs if isfinite(p)]
        if any(not limited or (o.limit_price - q) * side >= 0 for q in quotes):
            yield "SELF_MATCH"

    def is_old(self, o: Intent) -> bool:
        """Whether nothing may be opened on the price: it is old, or from a future as far."""
        return abs(o.now_ns - self.priced_ns[o.symbol]) > self.limits.stale_ms * 10**6

    def _fall(self) -> Fraction:
        peak, deepest = self.navs[0], Fraction(0)
        for nav in self.navs:
            peak = max(peak, nav)
            deepest = max(deepest, peak - nav)
        return deepest / peak if peak > 0 else Fraction(0)

    # --- what may go out ----------------------------------------------------------------------------

    def closing(self, o: Intent) -> int:
        """Lots of the order that only reduce the position, every open order of its side filled."""
        long, short = self.sides(o.symbol)
        base = long if o.lots > 0 else short
        return min(abs(o.lots), abs(base)) if base * o.lots < 0 else 0

    def oversize(self, o: Intent) -> str | None:
        """The control that lets nothing be opened, by price, account or the order's size, or None."""
        if self.is_old(o):
            return "STALE_PRICE"
        if self.nav <= 0:
            return "NAV_NOT_POSITIVE"
        if abs(o.lots) > self.limits.max_order_lots:
            return "ORDER_LOTS"
        value = self.value(o.symbol, abs(o.lots), self._worst_price(o))
        return "ORDER_VALUE" if value > Fraction(self.limits.max_order_nav) * self.nav else None

    def _worst_price(self, o: Intent) -> float:
        price = self.prices[o.symbol]
        return max(price, o.limit_price) if o.order_type == "limit" else price

    def keeps(self, o: Intent, size: int, slack: Fraction) -> dict[str, bool]:
        """Whether each limit holds if `size` lots of the order go out; above 0, `slack` widens every limit."""
        limits, x, side = self.limits, self.instruments[o.symbol], 1 if o.lots > 0 else -1
        price, nav, wide = self._worst_price(o), self.nav, 1 + slack
        closing = self.closing(o)
        long, short = self.sides(o.symbol)
        after = max(0, (long if side > 0 else short) * side) + size - closing
        worth, traded = self.value(o.symbol, after, price), self.value(o.symbol, size, price)
        others = {s: self.larger(s) for s in self.instruments if s != o.symbol}
        rest = sum(others.values(), Fraction(0))
        sector = sum((v for s, v in others.items() if self.instruments[s].sector == x.sector), Fraction(0))
        net = sum((self.value(s, self.sides(s)[0 if side > 0 else 1]) for s in self.instruments), Fraction(0)) * side
        tilt = sum((self._tilt(s, side * (1 if x.beta > 0 else -1)) for s in self.instruments), Fraction(0))
        squares = sum((Fraction(int(v)) ** 2 for v in others.values()), Fraction(0))
        own_base = self.sides(o.symbol, o.strategy)[0 if side > 0 else 1] * side
        elsewhere = sum((self.larger(s, o.strategy) for s in others), Fraction(0))
        going = sum((self.larger(s) for s in self.instruments), Fraction(0)) - sum(
            (abs(self.value(s, self.lots(s))) for s in self.instruments), Fraction(0)
        )
        opens = self.value(o.symbol, size - closing, price)
        cents = Fraction(1, 10**4) * (1 if slack > 0 else -1)
        said = isfinite(x.sigma_day)
        return {
            "INSTRUMENT_NAV": worth <= Fraction(limits.max_instrument_nav) * nav * wide + cents,
            "SECTOR_NAV": worth + sector <= Fraction(limits.max_sector_nav) * nav * wide + cents,
            "TRADE_RISK": said
            and 2 * Fraction(x.sigma_day) * traded <= Fraction(limits.max_trade_risk) * nav * wide + cents,
            "LONG_LOTS": side < 0 or after <= x.max_long_lots,
            "SHORT_LOTS": side > 0 or after <= x.max_short_lots,
            "LOCATE": side > 0 or after <= x.located_lots,
            "GROSS": worth + rest <= Fraction(limits.max_gross_usd) * wide + cents,
            "LEVERAGE": worth + rest <= Fraction(limits.max_leverage) * nav * wide + cents,
            "NET": net + traded <= Fraction(limits.max_net_nav) * nav * wide + cents,
            "BETA": x.beta == 0.0
            or tilt + abs(Fraction(x.beta)) * traded <= Fraction(limits.max_beta_nav) * nav * wide + 10 * cents,
            "CONCENTRATION": sqrt(worth**2 + squares)
            <= sqrt(limits.max_concentration) * float(nav) * float(wide) + 2 * float(cents > 0) - 2 * float(cents < 0),
            "PARTICIPATION": size <= int(limits.max_participation * x.adv_lots),
            "STRATEGY_CAPITAL": own_base + size <= 0
            or self.value(o.symbol, own_base + size, price) + elsewhere
            <= Fraction(limits.strategies[o.strategy]) * wide + cents,
            "TOTAL_CAPITAL": worth + rest <= Fraction(limits.total_capital_usd) * wide + cents,
            "BUYING_POWER": opens <= (self.power - going) * (wide if self.power > going else 1) + cents,
        }

    def _tilt(self, symbol: str, side: int) -> Fraction:
        beta = Fraction(self.instruments[symbol].beta)
        return max(side * beta * self.value(symbol, n) for n in self.sides(symbol))
