"""Target volatility, its estimate, and the shape of the weights."""

from __future__ import annotations

from pydantic import Field

from modules.size.settings import ShapeSettings


class Settings(ShapeSettings):
    """`target_vol` is a year's volatility as a fraction; `vol_bars` the window of its estimate."""

    target_vol: float = Field(default=0.03, ge=0.005, le=0.3)
    vol_bars: int = Field(default=60, ge=10, le=252)
    no_trade_band: float = Field(default=0.005, ge=0.0, le=0.05)
