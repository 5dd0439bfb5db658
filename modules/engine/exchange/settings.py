"""Settings of the event engine: the account, the venue's terms, what is assumed of fills, and the limits of risk."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from modules.contract import ModuleSettings
from modules.engine.limits import (
    HARD_MAX_DAILY_LOSS,
    HARD_MAX_INSTRUMENT_NAV,
    HARD_MAX_SECTOR_NAV,
    HARD_MAX_TRADE_RISK,
    refuse_looser,
)
from modules.engine.settings import ASSUMPTION


class ExchangeSettings(ModuleSettings):
    """What the event engine assumes. Each assumption is marked so that no search of settings may move it."""

    capital_usd: float = Field(default=1_000_000.0, ge=1_000.0, le=1e9, json_schema_extra=ASSUMPTION)
    # delays: log-normal with this median; sigma is the standard deviation of the logarithm, 0 = always the median
    entry_median_us: float = Field(default=0.0, ge=0.0, le=60e6, json_schema_extra=ASSUMPTION)
    entry_sigma: float = Field(default=0.0, ge=0.0, le=3.0, json_schema_extra=ASSUMPTION)
    answer_median_us: float = Field(default=0.0, ge=0.0, le=60e6, json_schema_extra=ASSUMPTION)
    answer_sigma: float = Field(default=0.0, ge=0.0, le=3.0, json_schema_extra=ASSUMPTION)
    # fees: of the notional, per share, and once per order that fills
    maker_bps: float = Field(default=1.0, ge=0.0, le=100.0, json_schema_extra=ASSUMPTION)
    taker_bps: float = Field(default=1.0, ge=0.0, le=100.0, json_schema_extra=ASSUMPTION)
    fee_per_share_usd: float = Field(default=0.0, ge=0.0, le=1.0, json_schema_extra=ASSUMPTION)
    fee_per_order_usd: float = Field(default=0.0, ge=0.0, le=100.0, json_schema_extra=ASSUMPTION)
    # takers where the data show no spread (bars, trades alone)
    half_spread_bps: float = Field(default=4.0, ge=0.0, le=200.0, json_schema_extra=ASSUMPTION)
    impact_k: float = Field(default=0.5, ge=0.0, le=3.0, json_schema_extra=ASSUMPTION)
    # a market order larger than the displayed level 1: what is beyond waits by its time in force, or fills with impact
    beyond_displayed: Literal["wait", "impact"] = Field(default="wait", json_schema_extra=ASSUMPTION)
    # share of cancellations that were ahead in the queue: ahead**p / (ahead**p + behind**p)
    queue_power: float = Field(default=1.0, ge=0.0, le=5.0, json_schema_extra=ASSUMPTION)
    bar_touch_probability: float = Field(default=0.5, ge=0.0, le=1.0, json_schema_extra=ASSUMPTION)
    bar_volume_share: float = Field(default=0.1, gt=0.0, le=1.0, json_schema_extra=ASSUMPTION)
    max_age_s: float = Field(default=86_400.0, gt=0.0, le=31_536_000.0, json_schema_extra=ASSUMPTION)
    nav_every_s: float = Field(default=60.0, ge=0.001, le=31_536_000.0)
    live_orders: int = Field(default=1024, ge=4, le=65_536)
    seed: int = Field(default=0, ge=0, le=2**62)
    max_instrument_nav: float = Field(default=HARD_MAX_INSTRUMENT_NAV, gt=0.0, le=HARD_MAX_INSTRUMENT_NAV)
    max_sector_nav: float = Field(default=HARD_MAX_SECTOR_NAV, gt=0.0, le=HARD_MAX_SECTOR_NAV)
    max_daily_loss: float = Field(default=HARD_MAX_DAILY_LOSS, gt=0.0, le=HARD_MAX_DAILY_LOSS)
    max_trade_risk: float = Field(default=HARD_MAX_TRADE_RISK, gt=0.0, le=HARD_MAX_TRADE_RISK)

    @field_validator("max_instrument_nav", "max_sector_nav", "max_daily_loss", "max_trade_risk", mode="before")
    @classmethod
    def _only_tighter(cls, value: object, info: ValidationInfo) -> object:
        refuse_looser(str(info.field_name), value)
        return value
