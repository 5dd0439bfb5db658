"""The hard limits of risk, and limits in force that can only be tighter.

Apart from the kernels, so that settings are read without a compiler.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

HARD_MAX_INSTRUMENT_NAV: Final = 0.05
HARD_MAX_SECTOR_NAV: Final = 0.25
HARD_MAX_DAILY_LOSS: Final = 0.05
HARD_MAX_TRADE_RISK: Final = 0.01

_CONSTANTS: Final = {
    "max_instrument_nav": ("HARD_MAX_INSTRUMENT_NAV", HARD_MAX_INSTRUMENT_NAV),
    "max_sector_nav": ("HARD_MAX_SECTOR_NAV", HARD_MAX_SECTOR_NAV),
    "max_daily_loss": ("HARD_MAX_DAILY_LOSS", HARD_MAX_DAILY_LOSS),
    "max_trade_risk": ("HARD_MAX_TRADE_RISK", HARD_MAX_TRADE_RISK),
}


def refuse_looser(name: str, value: object) -> None:
    """Raise ValueError, naming the constant, where `value` is looser than the hard limit of `name`."""
    constant, hard = _CONSTANTS[name]
    if isinstance(value, int | float) and not value <= hard:
        raise ValueError(
            f"{name} = {value} is looser than the hard limit {constant} = {hard}; "
            "settings may only tighten it: give a smaller value"
        )


class RiskLimits(BaseModel):
    """Limits in force, as fractions of NAV; each at most its hard constant."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_instrument_nav: float = Field(default=HARD_MAX_INSTRUMENT_NAV, gt=0.0, le=HARD_MAX_INSTRUMENT_NAV)
    max_sector_nav: float = Field(default=HARD_MAX_SECTOR_NAV, gt=0.0, le=HARD_MAX_SECTOR_NAV)
    max_daily_loss: float = Field(default=HARD_MAX_DAILY_LOSS, gt=0.0, le=HARD_MAX_DAILY_LOSS)
    max_trade_risk: float = Field(default=HARD_MAX_TRADE_RISK, gt=0.0, le=HARD_MAX_TRADE_RISK)

    @field_validator("max_instrument_nav", "max_sector_nav", "max_daily_loss", "max_trade_risk", mode="before")
    @classmethod
    def _only_tighter(cls, value: object, info: ValidationInfo) -> object:
        refuse_looser(str(info.field_name), value)
        return value
