"""The reference account, and what a signal must show in it."""

from __future__ import annotations

from pydantic import Field

from modules.engine.settings import ASSUMPTION, TradingSettings


class Settings(TradingSettings):
    """Criteria are thresholds of the judgement: they are standards, not for tuning."""

    quantiles: int = Field(default=5, ge=2, le=20, json_schema_extra=ASSUMPTION)
    min_net_sharpe: float = Field(default=0.0, ge=-5.0, le=5.0, json_schema_extra=ASSUMPTION)
    min_ic_t_stat: float = Field(default=2.0, ge=0.0, le=10.0, json_schema_extra=ASSUMPTION)
    min_coverage: float = Field(default=0.5, ge=0.0, le=1.0, json_schema_extra=ASSUMPTION)
    min_fills: int = Field(default=100, ge=1, le=1_000_000, json_schema_extra=ASSUMPTION)
