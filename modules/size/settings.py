"""Settings that sizing modules share. Apart from the kernels, so that they are read without a compiler."""

from __future__ import annotations

from pydantic import Field

from modules.contract import ModuleSettings
from modules.engine.limits import HARD_MAX_INSTRUMENT_NAV, HARD_MAX_SECTOR_NAV


class ShapeSettings(ModuleSettings):
    """Weights are fractions of NAV; bounds are the search space.

    `gross_leverage` bounds sum |w|, `weight_cap` each |w|, `sector_cap` the gross of each sector. `no_trade_band`
    keeps a held target until the new one differs by more; `smoothing_bars` averages targets (1 = not at all).
    """

    gross_leverage: float = Field(default=1.0, gt=0.0, le=1.0)
    weight_cap: float = Field(default=HARD_MAX_INSTRUMENT_NAV, gt=0.0, le=HARD_MAX_INSTRUMENT_NAV)
    sector_cap: float = Field(default=HARD_MAX_SECTOR_NAV, gt=0.0, le=HARD_MAX_SECTOR_NAV)
    no_trade_band: float = Field(default=0.0, ge=0.0, le=0.05)
    smoothing_bars: int = Field(default=1, ge=1, le=20)
