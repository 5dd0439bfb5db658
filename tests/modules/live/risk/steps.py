"""Random days of a desk, through the risk core and through the oracle side by side."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

from modules.live.risk.core import Instrument, Intent, RiskCore
from modules.live.risk.limits import LiveLimits
from modules.live.risk.rules import Answer, Rule
from tests.modules.live.risk.desk import MICROS
from tests.modules.live.risk.oracle import SLACK, Book

_SIZED = frozenset(rule.name for rule in Rule if rule >= Rule.INSTRUMENT_NAV)


class DisagreementError(AssertionError):
    """The risk core and the oracle part."""


def day(seed: int, steps: int) -> Counter[str]:
    """One desk of random limits and instruments for `steps` steps; how often each answer and rule was given.

    Raises DisagreementError at the first step at which the two part.
    """
    rng = random.Random(seed)
    names = [f"S{i}" for i in range(rng.randint(1, 6))]
    instruments = [_instrument(rng, name) for name in names]
    limits = _limits(rng, names)
    cash = rng.choice([200_000, 1_000_000, 20_000_000]) * MICROS
    core = RiskCore(limits, instruments, cash_micros=cash, mode="paper", build="b1")
    book = Book(limits, {x.symbol: x for x in instruments}, Fraction(cash, MICROS), Fraction(cash, MICROS))
    book.navs.append(book.nav)
    wild = rng.choice([0.004, 0.004, 0.1])
    now, count, said = 10**12, 0, Counter[str]()
    for name in names:
        _mark(core, book, name, rng.uniform(5.0, 300.0), now)
    for _ in range(steps):
        now += rng.choice([1, 10**6, 10**8, 3 * 10**8, 10**9, 2 * 10**9])
        what = rng.random()
        if what < 0.20:
            name = rng.choice(names)
            _mark(core, book, name, book.prices[name] * math.exp(rng.gauss(0.0, wild)), now)
        elif what < 0.60 and book.orders:
            _fill_or_end(rng, core, book)
        elif what < 0.615:
            _new_day(core, book)
        elif what < 0.62 or (book.closed and what < 0.68):
            name = rng.choice(sorted(book.closed) or names)
            is_open = name in book.closed
            core.trading(name, is_open)
            (book.closed.discard if is_open else book.closed.add)(name)
        else:
            count += 1
            if rng.random() < 0.9:  # a desk that looks at its prices
                for name in names:
                    _mark(core, book, name, book.prices[name], now)
            _ask(rng, core, book, _intent(rng, book, names, now, count), said)
        if core.nav_micros != _whole(book):
            raise DisagreementError(f"seed {seed}: NAV {core.nav_micros}, oracle {float(book.nav):.6f}")
    return said


def _whole(book: Book) -> int:
    """NAV as accounts are counted: each position in whole micros."""
    values = sum(_micros(book.lots(s), x.lot_size, book.prices[s]) for s, x in book.instruments.items())
    return int(book.cash * MICROS) + values


def _micros(lots: int, lot_size: float, price: float) -> int:
    """The rule by which accounts state an amount, written again: a product of floats, halves to even.

    Not the rounded fraction: where the product lies within its last bit of half a micro the two differ.
    """
    return round(float(lots) * lot_size * price * MICROS)


def _instrument(rng: random.Random, name: str) -> Instrument:
    return Instrument(
        name,
        rng.choice(["tech", "energy"]),
        lot_size=rng.choice([1.0, 1.0, 10.0]),
        tick=0.01,
        sigma_day=rng.choice([0.005, 0.02, 0.05, math.nan if rng.random() < 0.1 else 0.01]),
        beta=rng.choice([1.0, 0.5, -1.0, 2.0, 0.0]),
        adv_lots=rng.choice([0, 2_000, 100_000, 10_000_000]) if rng.random() < 0.2 else 1_000_000,
        located_lots=rng.choice([0, 50, 1_000_000, 1_000_000, 1_000_000]),
        max_long_lots=rng.choice([2**53, 2**53, 500]),
        max_short_lots=rng.choice([2**53, 2**53, 300]),
    )


def _limits(rng: random.Random, names: list[str]) -> LiveLimits:
    def some(usual: float, *others: float) -> float:
        return rng.choice([usual, usual, usual, *others])

    capital = {"alpha": some(5e6, 2e4, 1e5), "beta": some(5e6, 5e4)}
    return LiveLimits.model_validate(
        {
            "max_instrument_nav": some(0.05, 0.01),
            "max_sector_nav": some(0.25, 0.04),
            "max_daily_loss": some(0.05, 0.004),
            "max_drawdown": some(0.05, 0.006),
            "max_trade_risk": some(0.01, 0.0005),
            "max_order_nav": some(0.05, 0.02),
            "max_order_lots": int(some(1_000_000, 1_000_000, 200)),
            "max_gross_usd": some(1e8, 3e4, 1e5),
            "max_leverage": some(1.5, 0.06),
            "max_net_nav": some(1.0, 0.03),
            "max_beta_nav": some(0.5, 0.02),
            "max_concentration": some(0.05, 0.0008),
            "max_participation": some(0.05, 0.01),
            "total_capital_usd": max([*capital.values(), some(1e7, 2e5)]),
            "messages_a_second": 20,
            "repeats_a_minute": 30,
            "order_types": ["market", "limit"],
            "times_in_force": ["day", "ioc"],
            "strategies": capital,
            "restricted": [n for n in names if rng.random() < 0.05],
        }
    )


def _intent(rng: random.Random, book: Book, names: list[str], now: int, count: int) -> Intent:
    """Mostly sensible orders of a few per cent of NAV; one in six is spoilt."""
    symbol = rng.choice(names)
    price, x = book.prices[symbol], book.instruments[symbol]
    share = rng.choice([0.001, 0.004, 0.01, 0.02, 0.04])
    lots = max(1, int(share * float(max(book.nav, Fraction(1))) / (price * x.lot_size))) * rng.choice([1, -1])
    held = book.lots(symbol)
    if held and rng.random() < 0.35:
        lots = -held if rng.random() < 0.5 else -2 * held
    order_type, limit = "market", math.nan
    if rng.random() < 0.4:
        order_type, limit = "limit", round(price * rng.uniform(0.985, 1.015), 2)
    fields: dict[str, object] = {}
    if rng.random() < 0.12:
        fields = rng.choice(
            [
                {"mode": "live"}, {"build": "b2"}, {"strategy": "gamma"}, {"venue": "ib"}, {"symbol": "ZZZ"},
                {"order_type": "stop"}, {"time_in_force": "gtc"}, {"lots": 0}, {"parent_left": abs(lots) - 1},
                {"client_id": rng.choice(sorted(book.seen) or ["c0"])},
                {"order_type": "limit", "limit_price": math.nan},
                {"order_type": "limit", "limit_price": round(price * 1.2, 2)}, {"lots": lots * 10},
                {"order_type": "limit", "limit_price": round(price, 2) + 0.004},
                {"now_ns": now + 6 * 10**9},
            ]
        )  # fmt: skip
    usual: dict[str, object] = {
        "client_id": f"c{count}", "strategy": rng.choice(["alpha", "beta"]), "symbol": symbol, "lots": lots,
        "venue": "sim", "mode": "paper", "build": "b1", "now_ns": now, "order_type": order_type, "limit_price": limit,
    }  # fmt: skip
    return Intent(**{**usual, **fields})  # type: ignore[arg-type]


def _ask(rng: random.Random, core: RiskCore, book: Book, o: Intent, said: Counter[str]) -> None:
    refused = book.refusal(o)
    sent = book.sent_ns[-1][0] if book.sent_ns else 0
    if o.now_ns < sent:  # the rates are asked in order of time
        return
    ruling = core.ask(o)
    said[ruling.answer.name] += 1
    said[ruling.rule.name] += 1
    _compare(book, o, refused, ruling.answer, ruling.rule.name, ruling.allowed_lots)
    if ruling.goes_out:
        book.orders[o.client_id] = (o, ruling.allowed_lots)
        book.seen.add(o.client_id)
        book.sent_ns.append((o.now_ns, o.symbol, o.lots > 0))
        del book.sent_ns[:-200]


def _compare(book: Book, o: Intent, refused: str | None, answer: Answer, rule: str, allowed: int) -> None:
    def part(what: str) -> DisagreementError:
        return DisagreementError(f"{what}: core says {answer.name} {rule} {allowed}, oracle {refused}, of {o}")

    if refused is not None:
        rates = {"MESSAGE_RATE", "REPEATED"}
        if rule != refused and not {rule, refused} & rates:
            raise part("another rule")
        return
    if rule in ("MESSAGE_RATE", "REPEATED"):
        return  # evenly spaced by the core, counted by the oracle: compared on their own
    closing, size = book.closing(o), abs(o.lots)
    if closing == size:
        if (answer, rule, allowed) != (Answer.APPROVE, "REDUCES_EXPOSURE", o.lots):
            raise part("an order that closes")
        return
    oversize = book.oversize(o)
    if oversize is not None or rule in ("STALE_PRICE", "NAV_NOT_POSITIVE", "ORDER_LOTS", "ORDER_VALUE"):
        if rule != oversize:
            raise part(f"its size ({oversize})")
        if rule == "STALE_PRICE" and (answer is not Answer.REDUCE or allowed * o.lots <= 0 or abs(allowed) != closing):
            raise part("an old price")
        return
    if allowed * o.lots < 0 or abs(allowed) > size or abs(allowed) < closing:
        raise part("lots that nobody asked for")
    broken = [name for name, holds in book.keeps(o, abs(allowed), SLACK).items() if not holds]
    if broken and abs(allowed) > closing:
        raise part(f"breach of {broken}")
    if abs(allowed) < size:
        tight = [name for name, holds in book.keeps(o, abs(allowed) + 1, -SLACK).items() if not holds]
        if not tight:
            raise part("more would have been allowed")
        if rule not in tight and not (rule == "SIGMA_UNKNOWN" and "TRADE_RISK" in tight):
            raise part(f"the tightest are {tight}")
    elif rule in _SIZED or answer is not Answer.APPROVE:
        raise part("a whole order")


def _mark(core: RiskCore, book: Book, name: str, price: float, now: int) -> None:
    if now < book.priced_ns.get(name, 0):
        return
    core.mark(name, price, now)
    book.prices[name], book.priced_ns[name] = price, now
    book.navs.append(Fraction(core.nav_micros, MICROS))
    _shorten(book)


def _shorten(book: Book) -> None:
    """Keep what losses and falls are counted from: the first, the peaks and the falls since."""
    if len(book.navs) > 400:
        worst = max(range(len(book.navs)), key=lambda i: max(book.navs[: i + 1]) - book.navs[i])
        peak = max(range(worst + 1), key=lambda i: book.navs[i])
        keep = sorted({0, peak, worst, book.navs.index(min(book.navs)), book.navs.index(max(book.navs))})
        book.navs = [book.navs[i] for i in keep] + book.navs[-1:]


def _fill_or_end(rng: random.Random, core: RiskCore, book: Book) -> None:
    client_id = rng.choice(sorted(book.orders))
    o, left = book.orders[client_id]
    if rng.random() < 0.2:
        core.done(client_id)
        del book.orders[client_id]
        return
    lots = left if rng.random() < 0.7 else (abs(left) // 2 or abs(left)) * (1 if left > 0 else -1)
    price = round(book.prices[o.symbol], 2)
    core.filled(client_id, lots, price)
    book.cash -= Fraction(_micros(lots, book.instruments[o.symbol].lot_size, price), MICROS)
    book.held[o.strategy, o.symbol] = book.held.get((o.strategy, o.symbol), 0) + lots
    if lots == left:
        del book.orders[client_id]
    else:
        book.orders[client_id] = (o, left - lots)
    book.navs.append(Fraction(core.nav_micros, MICROS))


def _new_day(core: RiskCore, book: Book) -> None:
    core.new_day()
    book.navs = [Fraction(core.nav_micros, MICROS)]
    book.seen = set(book.orders)
