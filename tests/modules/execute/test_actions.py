"""execute/next_bar on data with corporate actions: its tables hold to their contracts and close to the micro."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings

from modules.contract import Context, check_ports
from modules.execute.next_bar.acceptance import accept
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.execute.next_bar.run import run
from modules.execute.next_bar.settings import Settings
from modules.panel import Panel
from tests.modules.engine.cases import instruments, weights_of
from tests.modules.engine.test_engine_actions import WARM, market
from tests.properties.test_engine_frictions import LOT, Case, cases


def executed(bars: Panel, weights: Panel, lot: float = 1.0, **changes: object) -> tuple[Inputs, Outputs, Settings]:
    chosen = Settings.model_validate(changes)
    inputs = Inputs(bars=bars, weights=weights, instruments=instruments(bars.symbols, lot))
    check_ports("execute", "next_bar", "inputs", inputs)
    outputs = run(inputs, chosen, Context(seed=0, start_ns=int(weights.ts[0])))
    check_ports("execute", "next_bar", "outputs", outputs)
    return inputs, outputs, chosen


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_execution_with_actions_is_accepted(case: Case) -> None:
    weights = Panel(case.bars.ts[WARM + 2 :], case.bars.symbols, {"weight": case.targets})
    inputs, outputs, chosen = executed(
        case.bars, weights, LOT,
        commission_share_usd=case.costs.commission_share_usd,
        commission_minimum_usd=case.costs.commission_minimum_usd,
        funding_bps_year=case.costs.funding_bps_year,
        max_participation=case.liquidity.participation,
        participation_of=case.liquidity.participation_of,
        remainder=case.liquidity.remainder,
        max_stale_bars=case.liquidity.stale_bars,
    )  # fmt: skip
    assert accept(inputs, outputs, chosen) == []


BARS = market(
    {"A": [100.0, 100.0, 50.0, 50.0], "B": [10.0, 10.0, float("nan"), float("nan")]},
    split={("A", 2): 2.0},
    dividend={("A", 2): 0.5},
    delisting={("B", 2): -0.5},
)


def test_the_tables_say_what_actions_did() -> None:
    inputs, outputs, chosen = executed(BARS, weights_of(BARS, [[0.04, -0.03]] * 4), min_order_usd=10_000.0)
    assert accept(inputs, outputs, chosen) == []
    assert outputs.actions is not None
    assert outputs.actions.select("symbol", "kind", "lots_before", "lots_after").rows() == [
        ("A", "split", 400, 800), ("A", "dividend", 800, 800), ("B", "delisting", -3000, 0),
    ]  # fmt: skip
    assert outputs.nav["dividend_micros"].to_list() == [0, 0, 400_000_000, 0]
    assert outputs.nav["settled_micros"].to_list() == [0, 0, -15_000_000_000, 0]
    assert outputs.metrics["dividends_usd"] == 400.0 and outputs.metrics["actions"] == 3.0


@pytest.mark.parametrize("column", ["cash_micros", "lots_after"])
def test_an_account_that_forgets_an_action_is_refused(column: str) -> None:
    inputs, outputs, chosen = executed(BARS, weights_of(BARS, [[0.04, -0.03]] * 4), min_order_usd=10_000.0)
    assert outputs.actions is not None
    bent = dataclasses.replace(outputs, actions=outputs.actions.with_columns(pl.col(column) + 1))
    assert accept(inputs, bent, chosen) != []
    assert accept(inputs, dataclasses.replace(outputs, actions=None), chosen) != []


def test_without_actions_there_is_no_table() -> None:
    plain = Panel(BARS.ts, BARS.symbols, {"close": BARS["close"]})
    _, outputs, _ = executed(plain, weights_of(plain, [[0.04, -0.03]] * 4))
    assert outputs.actions is None and "dividend_micros" not in outputs.nav.columns
