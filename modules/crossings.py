"""The artifacts that cross a stage boundary, each a type with its schema: `Bars`, `Signal`, `Weights`, `Nav` ..."""

from __future__ import annotations

from typing import Annotated

import dataframely as dy
import polars as pl

from modules.panel import Panel
from modules.schema import FieldRule, PanelSchema, RawTable, TableSchema

TIME = pl.Datetime("ns", "UTC")


class RecordsSchema(dy.Schema):
    """Bitemporal bars: `event_time` is the bar's label (daily: its date at 00:00 UTC),
    `available_at` the moment from which it could be known. A restatement is a second row with the
    same symbol and event_time and a later available_at. Prices as delivered; null = not delivered.

    Corporate actions, in sets that carry them: `split` (new shares for one old, from the bar's open on), `dividend`
    (cash a share as traded, to who held it before the bar), `delisting` (the return on the last price to whoever holds
    it then), `member` (1 from this bar on in the universe, 0 out). A day without a bar has its action alone."""

    symbol = dy.String(nullable=False, primary_key=True, min_length=1)
    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    available_at = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    open = dy.Float64(nullable=True)
    high = dy.Float64(nullable=True)
    low = dy.Float64(nullable=True)
    close = dy.Float64(nullable=True)
    adj_close = dy.Float64(nullable=True)
    volume = dy.Float64(nullable=True)
    split = dy.Float64(nullable=True, min_exclusive=0.0)
    dividend = dy.Float64(nullable=True, min=0.0)
    delisting = dy.Float64(nullable=True, min=-1.0)
    member = dy.Float64(nullable=True, min=0.0, max=1.0)

    @dy.rule()
    def known_after_it_happened(cls) -> pl.Expr:
        return pl.col("available_at") >= pl.col("event_time")


RECORD_ACTIONS = frozenset({"split", "dividend", "delisting", "member"})


class FactsSchema(dy.Schema):
    """Bitemporal figures of companies. `event_time` is the end of the period (its date at 00:00 UTC), `quarters` its
    length (0 = at that moment), `available_at` the moment from which the figure could be known. A restatement is a
    second row with a later available_at; every statement ever made stays."""

    symbol = dy.String(nullable=False, primary_key=True, min_length=1)
    concept = dy.String(nullable=False, primary_key=True, regex=r"^[a-z][a-z0-9_]{0,63}$")
    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    quarters = dy.Int64(nullable=False, primary_key=True, min=0, max=4)
    unit = dy.String(nullable=False, primary_key=True, min_length=1)
    available_at = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    period_start = dy.Datetime(nullable=True, time_unit="ns", time_zone="UTC")
    value = dy.Float64(nullable=False)
    form = dy.String(nullable=False)
    accession = dy.String(nullable=False)

    @dy.rule()
    def known_after_it_happened(cls) -> pl.Expr:
        return pl.col("available_at") >= pl.col("event_time")

    @dy.rule()
    def a_period_has_a_start_and_a_moment_has_none(cls) -> pl.Expr:
        return (pl.col("quarters") == 0) == pl.col("period_start").is_null()

    @dy.rule()
    def starts_before_it_ends(cls) -> pl.Expr:
        return pl.col("period_start").is_null() | (pl.col("period_start") <= pl.col("event_time"))


class InstrumentsSchema(dy.Schema):
    """What each symbol is, and between which dates it was so (`valid_to` null = still)."""

    symbol = dy.String(nullable=False, primary_key=True, min_length=1)
    venue = dy.String(nullable=False)
    currency = dy.String(nullable=False)
    calendar = dy.String(nullable=False)
    sector = dy.String(nullable=False)
    tick_size = dy.Float64(nullable=False, min_exclusive=0.0)
    lot_size = dy.Float64(nullable=False, min_exclusive=0.0)
    valid_from = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    valid_to = dy.Datetime(nullable=True, time_unit="ns", time_zone="UTC")


class QualitySchema(dy.Schema):
    """One row per cell that a quality rule touched."""

    rule = dy.String(nullable=False)
    symbol = dy.String(nullable=False)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    field = dy.String(nullable=False)
    value = dy.Float64(nullable=True)
    action = dy.Enum(["flagged", "repaired", "dropped"], nullable=False)
    detail = dy.String(nullable=False)


class EvidenceSchema(dy.Schema):
    """The reference backtest, a row a bar. Returns are fractions of the NAV at the previous bar."""

    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    gross_return = dy.Float64(nullable=False)
    net_return = dy.Float64(nullable=False)
    turnover = dy.Float64(nullable=False, min=0.0)
    ic = dy.Float64(nullable=True, min=-1.0, max=1.0)
    spread_return = dy.Float64(nullable=True)


class QuantileSchema(dy.Schema):
    """Mean next-bar return of each signal quantile (1 = lowest signal)."""

    quantile = dy.Int64(nullable=False, primary_key=True, min=1)
    mean_return = dy.Float64(nullable=False)
    count = dy.Int64(nullable=False, min=0)


class JudgementSchema(dy.Schema):
    """Backtest's criteria, each with the value found."""

    criterion = dy.String(nullable=False, primary_key=True)
    value = dy.Float64(nullable=True)
    threshold = dy.Float64(nullable=False)
    passed = dy.Bool(nullable=False)


class OrdersSchema(dy.Schema):
    """Every order asked for, with the risk decision on it. Quantities are signed, in lots."""

    order_id = dy.Int64(nullable=False, primary_key=True, min=0)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    symbol = dy.String(nullable=False)
    asked_lots = dy.Int64(nullable=False)
    allowed_lots = dy.Int64(nullable=False)
    decision = dy.Enum(["APPROVE", "REDUCE", "REJECT", "FLATTEN"], nullable=False)
    rule = dy.String(nullable=False)
    limit = dy.Float64(nullable=True)
    value = dy.Float64(nullable=True)


class FillsSchema(dy.Schema):
    """Every fill. Money is in integer micro-units of the currency (1e-6), so sums are exact."""

    order_id = dy.Int64(nullable=False, min=0)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    symbol = dy.String(nullable=False)
    lots = dy.Int64(nullable=False)
    price = dy.Float64(nullable=False, min_exclusive=0.0)
    notional_micros = dy.Int64(nullable=False)
    commission_micros = dy.Int64(nullable=False, min=0)
    spread_micros = dy.Int64(nullable=False, min=0)
    impact_micros = dy.Int64(nullable=False, min=0)


class AccountActionsSchema(dy.Schema):
    """What corporate actions did to positions. `cash_micros` is signed: a short pays a dividend and buys back at a
    delisting. A split takes `lots_before` to `lots_after`, and pays out what is less than a lot."""

    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    symbol = dy.String(nullable=False, primary_key=True)
    kind = dy.Enum(["split", "dividend", "delisting"], nullable=False, primary_key=True)
    lots_before = dy.Int64(nullable=False)
    lots_after = dy.Int64(nullable=False)
    price = dy.Float64(nullable=False, min=0.0)
    cash_micros = dy.Int64(nullable=False)


class NavSchema(dy.Schema):
    """The account at the close of each bar. Identity: cash + positions = nav, to the micro.

    Only where the data state corporate actions: `dividend_micros`, received less paid by shorts, and `settled_micros`,
    cash for lots that splits and delistings took away. Only where any was paid: `funding_micros`."""

    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    nav_micros = dy.Int64(nullable=False)
    cash_micros = dy.Int64(nullable=False)
    positions_micros = dy.Int64(nullable=False)
    commission_micros = dy.Int64(nullable=False, min=0)
    spread_micros = dy.Int64(nullable=False, min=0)
    impact_micros = dy.Int64(nullable=False, min=0)
    borrow_micros = dy.Int64(nullable=False, min=0)
    gross_return = dy.Float64(nullable=False)
    net_return = dy.Float64(nullable=False)
    turnover = dy.Float64(nullable=False, min=0.0)
    gross_exposure = dy.Float64(nullable=False, min=0.0)
    net_exposure = dy.Float64(nullable=False)
    funding_micros = dy.Int64(nullable=True, min=0)
    dividend_micros = dy.Int64(nullable=True)
    settled_micros = dy.Int64(nullable=True)

    @dy.rule()
    def cash_plus_positions_is_nav(cls) -> pl.Expr:
        return pl.col("cash_micros") + pl.col("positions_micros") == pl.col("nav_micros")


_PRICE = FieldRule(exclusive_minimum=0.0)
_MAYBE_PRICE = FieldRule(required=False, exclusive_minimum=0.0)

Raw = Annotated[pl.DataFrame, RawTable()]
Records = Annotated[pl.DataFrame, TableSchema(RecordsSchema, allow_empty=False, optional=RECORD_ACTIONS)]
Facts = Annotated[pl.DataFrame, TableSchema(FactsSchema, allow_empty=False)]
"""Every statement known at the task's end. Which of them row t may use is worked out by `modules/fundamentals.py`."""
Instruments = Annotated[pl.DataFrame, TableSchema(InstrumentsSchema, allow_empty=False)]
Quality = Annotated[pl.DataFrame, TableSchema(QualitySchema)]
Bars = Annotated[
    Panel,
    PanelSchema(
        {
            "close": _PRICE,
            "open": _MAYBE_PRICE,
            "high": _MAYBE_PRICE,
            "low": _MAYBE_PRICE,
            "volume": FieldRule(required=False, minimum=0.0),
            "raw_open": _MAYBE_PRICE,
            "raw_close": _MAYBE_PRICE,
            "split": FieldRule(required=False, nan=False, exclusive_minimum=0.0),
            "dividend": FieldRule(required=False, nan=False, minimum=0.0),
            "delisting": FieldRule(required=False, minimum=-1.0),
            "member": FieldRule(required=False, nan=False, minimum=0.0, maximum=1.0),
        }
    ),
]
"""Total-return prices (adjusted for splits and dividends where the data say so); volume is adjusted alike.

Sets with corporate actions also have what an account trades and is paid: `raw_open` and `raw_close` as traded; `split`,
new shares for one old from the bar's open on (1 = none); `dividend`, cash a new share, to who held before the bar (0 =
none); `delisting`, the return on the last price at the bar from which the symbol is gone; `member`, 1 while in the
universe. Row t holds what took effect by bar t and nothing announced for later."""
Signal = Annotated[Panel, PanelSchema({"signal": FieldRule()})]
Weights = Annotated[Panel, PanelSchema({"weight": FieldRule(nan=False, minimum=-1.0, maximum=1.0)})]
Positions = Annotated[Panel, PanelSchema({"lots": FieldRule(nan=False)})]
Evidence = Annotated[pl.DataFrame, TableSchema(EvidenceSchema, allow_empty=False)]
Quantiles = Annotated[pl.DataFrame, TableSchema(QuantileSchema)]
Judgement = Annotated[pl.DataFrame, TableSchema(JudgementSchema, allow_empty=False)]
Orders = Annotated[pl.DataFrame, TableSchema(OrdersSchema)]
Fills = Annotated[pl.DataFrame, TableSchema(FillsSchema)]
AccountActions = Annotated[pl.DataFrame | None, TableSchema(AccountActionsSchema)]
NAV_OPTIONAL = frozenset({"funding_micros", "dividend_micros", "settled_micros"})
Nav = Annotated[pl.DataFrame, TableSchema(NavSchema, allow_empty=False, optional=NAV_OPTIONAL)]
