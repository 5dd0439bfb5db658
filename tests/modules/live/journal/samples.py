"""Messages for journals' tests."""

from __future__ import annotations

from modules.live.messages import AnyMessage, Ask, Filled, OpenAtVenue, Report, Ruled


def ask(n: int) -> Ask:
    return Ask(f"o{n}", "alpha", "AAA", 10 + n, "sim", "paper", "b", n, limit_price=None if n % 2 else 10.25)


def ruled(n: int) -> Ruled:
    return Ruled(f"o{n}", 0, 0, 10 + n, None, None, n)


def filled(n: int) -> Filled:
    return Filled(f"o{n}", f"e{n}", "AAA", 10 + n, 10.1 + n / 3, (10 + n) * 10_100_000, 1, n)


def report(n: int) -> Report:
    order = OpenAtVenue(f"o{n}", "AAA", 10 + n, (filled(n),), "filled")
    return Report("sim", (order,), {"BBB": 1, "AAA": n}, 10**12, True, n)


def some(n: int) -> AnyMessage:
    """Message number `n`: of several kinds, no two alike."""
    return (ask, ruled, filled, report)[n % 4](n)
