"""Settings of clean/quality: thresholds of the rules, and the few repairs that may be switched on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modules.contract import ModuleSettings


class Settings(ModuleSettings):
    """Bounds are the search space. Every repair uses only bars up to the one it repairs."""

    spike_sigmas: float = Field(12.0, ge=4.0, le=50.0, description="a move is suspect beyond this many robust sigmas")
    spike_window_bars: int = Field(63, ge=20, le=252, description="past returns that the robust sigma is taken from")
    spike_min_return_bps: float = Field(1500.0, ge=100.0, le=20000.0, description="smaller moves are never suspect")
    spike_reversion_share: float = Field(0.7, ge=0.3, le=1.0, description="share of the move the next bar takes back")
    spike_action: Literal["flag", "mask"] = Field(
        "flag", description="mask: a suspect bar is missing at once, whether it reverts or not"
    )
    stale_run_bars: int = Field(10, ge=3, le=250, description="identical closes from which on a run is stale")
    stale_action: Literal["flag", "mask"] = Field("flag", description="mask: bars of the run from then on are missing")
    gap_min_sessions: int = Field(1, ge=1, le=60, description="missing sessions that make a gap")
    off_calendar_action: Literal["flag", "drop"] = "flag"
    ohlc_tolerance_bps: float = Field(
        1.0, ge=0.0, le=100.0, description="open or close may lie this far outside high-low"
    )
    max_fill_bars: int = Field(0, ge=0, le=20, description="missing bars that carry the last close forward")
