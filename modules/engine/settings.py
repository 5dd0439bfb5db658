"""Settings shared by the modules that trade: capital, costs, risk limits.

Assumptions about the world carry `json_schema_extra={"assumption": True}`: a better result from a lower cost or
another fill is not an improvement, so nothing that searches settings may move them. Limits are bounded above by
the hard constants of `limits.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from modules.contract import ModuleSettings
from modules.engine.limits import (
    HARD_MAX_DAILY_LOSS,
    HARD_MAX_INSTRUMENT_NAV,
    HARD_MAX_SECTOR_NAV,
    HARD_MAX_TRADE_RISK,
    RiskLimits,
    refuse_looser,
)

FillWithoutOpen = Literal["next_close", "previous_close"]
ParticipationOf = Literal["bar", "average"]
Remainder = Literal["expires", "stays"]
ASSUMPTION: Final[dict[str, Any]] = {"assumption": True}


@dataclass(frozen=True)
class Costs:
    """Half the quoted spread and the commission per side, impact coefficients, borrow and funding per year of 365 days.

    A fill's commission is by value, by share and by fill together, and at least the minimum. Maker and taker fees need
    orders that rest, which bars do not show: `modules/engine/exchange`.
    """

    half_spread_bps: float = 4.0
    commission_bps: float = 1.0
    impact_k: float = 0.5
    borrow_bps_year: float = 50.0
    commission_share_usd: float = 0.0
    commission_trade_usd: float = 0.0
    commission_minimum_usd: float = 0.0
    permanent_impact_gamma: float = 0.0
    funding_bps_year: float = 0.0

    @classmethod
    def none(cls) -> Costs:
        """A frictionless market, for checks."""
        return cls(half_spread_bps=0.0, commission_bps=0.0, impact_k=0.0, borrow_bps_year=0.0)


@dataclass(frozen=True)
class Liquidity:
    """What a fill may take, and what is no price to fill at. `participation` 0 and `stale_bars` 0 set no limit."""

    participation: float = 0.0
    participation_of: ParticipationOf = "bar"
    remainder: Remainder = "expires"
    stale_bars: int = 0


class TradingSettings(ModuleSettings):
    """Capital, cost assumptions and risk limits of a simulated account."""

    capital_usd: float = Field(default=1_000_000.0, ge=1_000.0, le=1e9, json_schema_extra=ASSUMPTION)
    half_spread_bps: float = Field(default=4.0, ge=0.0, le=200.0, json_schema_extra=ASSUMPTION)
    commission_bps: float = Field(default=1.0, ge=0.0, le=100.0, json_schema_extra=ASSUMPTION)
    impact_k: float = Field(default=0.5, ge=0.0, le=3.0, json_schema_extra=ASSUMPTION)
    borrow_bps_year: float = Field(default=50.0, ge=0.0, le=5_000.0, json_schema_extra=ASSUMPTION)
    commission_share_usd: float = Field(default=0.0, ge=0.0, le=1.0, json_schema_extra=ASSUMPTION)
    commission_trade_usd: float = Field(default=0.0, ge=0.0, le=1_000.0, json_schema_extra=ASSUMPTION)
    commission_minimum_usd: float = Field(default=0.0, ge=0.0, le=1_000.0, json_schema_extra=ASSUMPTION)
    permanent_impact_gamma: float = Field(default=0.0, ge=0.0, le=3.0, json_schema_extra=ASSUMPTION)
    funding_bps_year: float = Field(default=0.0, ge=0.0, le=5_000.0, json_schema_extra=ASSUMPTION)
    max_participation: float = Field(
        default=0.0, ge=0.0, le=1.0, description="share of the volume that a fill may take; 0 = no cap",
        json_schema_extra=ASSUMPTION,
    )  # fmt: skip
    participation_of: ParticipationOf = Field(
        default="bar", description="volume of the bar that fills, or the mean before it", json_schema_extra=ASSUMPTION
    )
    remainder: Remainder = Field(
        default="expires", description="what becomes of what the cap left over", json_schema_extra=ASSUMPTION
    )
    max_stale_bars: int = Field(
        default=0, ge=0, le=10_000, description="no fill once the close stood still for more bars; 0 = no limit",
        json_schema_extra=ASSUMPTION,
    )  # fmt: skip
    fill_without_open: FillWithoutOpen = Field(default="previous_close", json_schema_extra=ASSUMPTION)
    min_order_usd: float = Field(default=0.0, ge=0.0, le=10_000.0)
    max_instrument_nav: float = Field(default=HARD_MAX_INSTRUMENT_NAV, gt=0.0, le=HARD_MAX_INSTRUMENT_NAV)
    max_sector_nav: float = Field(default=HARD_MAX_SECTOR_NAV, gt=0.0, le=HARD_MAX_SECTOR_NAV)
    max_daily_loss: float = Field(default=HARD_MAX_DAILY_LOSS, gt=0.0, le=HARD_MAX_DAILY_LOSS)
    max_trade_risk: float = Field(default=HARD_MAX_TRADE_RISK, gt=0.0, le=HARD_MAX_TRADE_RISK)

    @field_validator("max_instrument_nav", "max_sector_nav", "max_daily_loss", "max_trade_risk", mode="before")
    @classmethod
    def _only_tighter(cls, value: object, info: ValidationInfo) -> object:
        refuse_looser(str(info.field_name), value)
        return value

    @property
    def costs(self) -> Costs:
        """The cost assumptions."""
        return Costs(
            self.half_spread_bps,
            self.commission_bps,
            self.impact_k,
            self.borrow_bps_year,
            self.commission_share_usd,
            self.commission_trade_usd,
            self.commission_minimum_usd,
            self.permanent_impact_gamma,
            self.funding_bps_year,
        )

    @property
    def liquidity(self) -> Liquidity:
        """What a fill may take, and what is no price to fill at."""
        return Liquidity(self.max_participation, self.participation_of, self.remainder, self.max_stale_bars)

    @property
    def limits(self) -> RiskLimits:
        """The risk limits in force."""
        return RiskLimits(
            max_instrument_nav=self.max_instrument_nav,
            max_sector_nav=self.max_sector_nav,
            max_daily_loss=self.max_daily_loss,
            max_trade_risk=self.max_trade_risk,
        )
