"""execute/next_bar: contract, acceptance, settings and reported figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from modules.contract import Context, check_ports
from modules.engine.settings import TradingSettings
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.panel import Panel
from modules.registry import load_module
from tests.modules.engine.cases import instruments, panel

RNG = np.random.default_rng(9)
SYMBOLS = tuple("ABCDEF")
BARS = panel(
    50.0 * np.exp(np.cumsum(RNG.normal(0, 0.02, (90, 6)), axis=0)), SYMBOLS, volume=RNG.integers(1, 9, (90, 6)) * 1e5
)
START = 30
MODULE = load_module("execute", "next_bar")
INPUTS = Inputs(
    bars=BARS,
    weights=Panel(BARS.ts[START:], SYMBOLS, {"weight": RNG.uniform(-0.06, 0.06, (60, 6))}),
    instruments=instruments(SYMBOLS, 0.0001),
)
CONTEXT = Context(seed=0, start_ns=int(BARS.ts[START]))


def outputs() -> Outputs:
    out = MODULE.run(INPUTS, MODULE.settings, CONTEXT)
    assert isinstance(out, Outputs)
    return out


def test_contract_and_acceptance_hold() -> None:
    check_ports("execute", "next_bar", "inputs", INPUTS)
    out = outputs()
    check_ports("execute", "next_bar", "outputs", out)
    assert MODULE.accept(INPUTS, out, MODULE.settings) == []
    assert out.nav.height == 60
    assert out.nav["net_return"][0] == 0.0


def test_reported_figures_follow_from_the_tables() -> None:
    out = outputs()
    m = out.metrics
    nav, fills, orders = out.nav, out.fills, out.orders
    assert m["fills"] == fills.height
    assert m["commission_usd"] == pytest.approx(sum(fills["commission_micros"].to_list()) / 1e6)
    charged = nav.select(pl.sum_horizontal(pl.col("^(commission|spread|impact|borrow)_micros$"))).to_series()
    costs = sum(charged.to_list()) / 1e6
    pnl = (nav["nav_micros"][-1] - nav["nav_micros"][0]) / 1e6
    assert m["net_pnl_usd"] == pytest.approx(pnl)
    assert m["gross_pnl_usd"] == pytest.approx(pnl + costs)
    assert m["gross_sharpe"] > m["net_sharpe"]
    assert m["turnover"] == pytest.approx(nav["turnover"].sum() * 252 / 60)
    assert (
        m["reduced.instrument_nav"]
        == orders.filter((pl.col("decision") == "REDUCE") & (pl.col("rule") == "instrument_nav")).height
    )
    assert m["approved"] + m["reduced"] + m["rejected"] + m["flattened"] == orders.height
    assert m["impact_usd"] > 0.0


def test_acceptance_finds_what_is_wrong() -> None:
    out = outputs()
    bump = pl.col("cash_micros") + 1, pl.col("nav_micros") + 1
    damaged = {
        "cash does not follow": replace(out, nav=out.nav.with_columns(*bump)),
        "positions are not the sum": replace(out, fills=out.fills.head(out.fills.height - 1)),
        "differs from what risk allowed": replace(out, fills=out.fills.with_columns(pl.col("lots") + 1)),
        "at or before its order": replace(out, fills=out.fills.with_columns(pl.col("event_time").dt.offset_by("-9d"))),
        "already trades": replace(out, nav=out.nav.with_columns(pl.lit(0.1).alias("turnover"))),
    }
    for rule, broken in damaged.items():
        assert any(rule in v.rule for v in MODULE.accept(INPUTS, broken, MODULE.settings)), rule


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_instrument_nav": 0.10}, "HARD_MAX_INSTRUMENT_NAV"),
        ({"max_sector_nav": 0.5}, "HARD_MAX_SECTOR_NAV"),
        ({"max_daily_loss": 0.06}, "HARD_MAX_DAILY_LOSS"),
        ({"max_trade_risk": 0.011}, "HARD_MAX_TRADE_RISK"),
        ({"commission_bps": -1.0}, "commission_bps"),
        ({"fill_without_open": "same_close"}, "fill_without_open"),
    ],
)
def test_settings_out_of_bounds_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MODULE.with_settings(changes)


def test_assumptions_are_marked_so_that_no_search_moves_them() -> None:
    marked = {
        name
        for name, field in TradingSettings.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("assumption")
    }
    assert marked == {
        "capital_usd",
        "half_spread_bps",
        "commission_bps",
        "impact_k",
        "borrow_bps_year",
        "fill_without_open",
        "commission_share_usd",
        "commission_trade_usd",
        "commission_minimum_usd",
        "permanent_impact_gamma",
        "funding_bps_year",
        "max_participation",
        "participation_of",
        "remainder",
        "max_stale_bars",
    }


def test_the_default_cost_is_five_bps_a_side() -> None:
    settings = MODULE.settings.model_dump()
    assert settings["half_spread_bps"] + settings["commission_bps"] == 5.0


def test_twice_the_same_run_is_the_same_run() -> None:
    one, two = outputs(), outputs()
    assert one.nav.equals(two.nav)
    assert one.orders.equals(two.orders)
    assert one.metrics == two.metrics
