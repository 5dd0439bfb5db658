"""The sweep: vectorbt's accounts on the same terms, the language's signals, and its refusals.

1. Final value, total return, Sharpe and closed trades equal vectorbt's `from_signals` on the same entries and exits.
2. The signals are those of the language, to the bit, so means from vectorbt's own indicator give the same accounts.
3. Neither the number of threads nor the order of combinations changes a bit, across blocks of bars too.
4. A plain account kept bar by bar agrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from modules.engine.accounting import EngineError
from modules.engine.sweep import grid, sweep
from modules.panel import FloatArray, Panel
from modules.signal import SignalError, evaluate, parse
from tests.modules.engine.cases import days

TEMPLATE = "ts_mean(close, {fast}) > ts_mean(close, {slow})"
COMBINATIONS = grid(fast=[2, 5, 9], slow=[10, 21, 40])


def bars(rows: int = 5_000, opens: bool = True) -> Panel:
    rng = np.random.default_rng(5)
    close = 40.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, (rows, 1)), axis=0))
    fields = {"close": close}
    if opens:
        fields["open"] = close * np.exp(rng.normal(0.0, 0.003, close.shape))
    return Panel(days(rows), ("A",), fields)


def held(panel: Panel, settings: Mapping[str, float]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    fast, slow = (evaluate(parse(f"ts_mean(close, {settings[k]})"), panel)[:, 0] for k in ("fast", "slow"))
    return fast > slow


def by_hand(panel: Panel, on: FloatArray, fee: float, capital: float) -> tuple[FloatArray, int]:
    """NAV a bar, and trades closed: next-bar fills, all in or all out."""
    close, price = panel["close"][:, 0], panel.fields.get("open", panel["close"])[:, 0]
    cash, shares, closed = capital, 0.0, 0
    nav = np.empty(close.size)
    for t in range(close.size):
        wanted = t > 0 and bool(on[t - 1])
        if wanted and shares == 0.0:
            cash, shares = 0.0, cash / (price[t] * (1.0 + fee))
        elif not wanted and shares > 0.0:
            cash, shares, closed = shares * price[t] * (1.0 - fee), 0.0, closed + 1
        nav[t] = cash + shares * close[t]
    return nav, closed


@pytest.mark.parametrize("opens", [True, False])
def test_an_account_kept_bar_by_bar_agrees(opens: bool) -> None:
    panel = bars(opens=opens)
    table = sweep(panel, TEMPLATE, COMBINATIONS, fee_bps=7.0, per_year=252.0)
    for row, settings in zip(table.iter_rows(named=True), COMBINATIONS, strict=True):
        nav, closed = by_hand(panel, held(panel, settings), 7e-4, 1e6)
        returns = np.diff(nav, prepend=1e6) / np.concatenate([[1e6], nav[:-1]])
        assert row["final_usd"] == pytest.approx(nav[-1], rel=1e-11)
        assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252), rel=1e-9)
        assert row["closed_trades"] == closed > 20


@pytest.mark.slow
@pytest.mark.parametrize(("fee_bps", "opens"), [(0.0, False), (5.0, False), (5.0, True)])
def test_vectorbt_agrees(fee_bps: float, opens: bool) -> None:
    import pandas as pd
    import vectorbt as vbt

    panel = bars(opens=opens)
    index = pd.to_datetime(panel.ts)
    close = pd.Series(panel["close"][:, 0], index=index)
    price = pd.Series(panel["open"][:, 0], index=index) if opens else close
    fast = vbt.MA.run(close, [int(c["fast"]) for c in COMBINATIONS], short_name="fast").ma
    slow = vbt.MA.run(close, [int(c["slow"]) for c in COMBINATIONS], short_name="slow").ma
    on = (fast.to_numpy() > slow.to_numpy()).astype(bool)
    for column, settings in enumerate(COMBINATIONS):
        np.testing.assert_array_equal(on[:, column], held(panel, settings))
    before = np.vstack([np.zeros((1, on.shape[1]), dtype=bool), on[:-1]])  # fills come a bar later
    changed = np.vstack([np.zeros((1, on.shape[1]), dtype=bool), before[1:] != before[:-1]])
    portfolio = vbt.Portfolio.from_signals(
        close, entries=changed & before, exits=changed & ~before, price=price, fees=fee_bps * 1e-4, init_cash=1e6,
        freq="1D",
    )  # fmt: skip
    ours = sweep(panel, TEMPLATE, COMBINATIONS, fee_bps=fee_bps, per_year=365.0)
    np.testing.assert_allclose(ours["final_usd"], portfolio.final_value(), rtol=1e-9)
    np.testing.assert_allclose(ours["total_return"], portfolio.total_return(), rtol=1e-9)
    np.testing.assert_allclose(ours["sharpe"], portfolio.sharpe_ratio(), rtol=1e-9)
    np.testing.assert_array_equal(ours["closed_trades"], portfolio.trades.closed.count())


def test_neither_threads_nor_order_change_a_bit() -> None:
    panel = bars(9_000)
    one = sweep(panel, TEMPLATE, COMBINATIONS, fee_bps=5.0, threads=1)
    assert one.equals(sweep(panel, TEMPLATE, COMBINATIONS, fee_bps=5.0, threads=3))
    assert one.reverse().equals(sweep(panel, TEMPLATE, COMBINATIONS[::-1], fee_bps=5.0, threads=2))


@pytest.mark.parametrize(
    ("template", "same_as"),
    [
        ("ts_mean(close, {slow}) < ts_mean(close, {fast})", TEMPLATE),
        ("ts_mean(close, {fast}) - ts_mean(close, {slow})", "ts_mean(close, {fast}) - ts_mean(close, {slow}) > 0"),
        ("rsi(close, {fast}) >= {slow}", "{slow} <= rsi(close, {fast})"),
    ],
)
def test_a_template_may_be_written_in_several_ways(template: str, same_as: str) -> None:
    panel = bars(600)
    one, other = (sweep(panel, text, COMBINATIONS) for text in (template, same_as))
    assert one.equals(other)
    assert one["closed_trades"].sum() > 0


def test_what_is_never_held_keeps_its_cash_and_has_no_sharpe() -> None:
    table = sweep(bars(300), "close > {level}", [{"level": 1e9}])
    assert table.row(0) == (1e9, 1e6, 0.0, None, 0)


REFUSED = [
    ("two symbols", {"bars": Panel(days(9), ("A", "B"), {"close": np.ones((9, 2))})}, "2 symbols"),
    ("a missing price", {"bars": Panel(days(9), ("A",), {"close": np.full((9, 1), math.nan)})}, "close of A at row 0"),
    ("a placeholder without a value", {"combinations": [{"fast": 3}]}, r"\['fast', 'slow'\]"),
    ("no combination", {"combinations": []}, "0 combinations"),
    ("a negative fee", {"fee_bps": -1.0}, "fee_bps"),
    ("no capital", {"capital_usd": 0.0}, "capital_usd"),
    ("no thread", {"threads": 0}, "threads"),
]


@pytest.mark.parametrize(("changes", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_input_that_does_not_fit_is_refused(changes: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"bars": bars(60), "template": TEMPLATE, "combinations": COMBINATIONS}
    with pytest.raises(EngineError, match=message):
        sweep(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("ts_mean(close, {n}) > {close", "belongs to no placeholder"),
        ("ts_mean(close, {N}) > close", "belongs to no placeholder"),
        ("-" * 5_000 + "close > {n}", "at most 4000 are read"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, message: str) -> None:
    with pytest.raises(SignalError, match=message):
        sweep(bars(60), template, [{"n": 3}])


def test_a_template_that_is_no_signal_is_refused_by_the_language() -> None:
    with pytest.raises(SignalError, match="ts_maen"):
        sweep(bars(60), "ts_maen(close, {n}) > close", [{"n": 3}])
