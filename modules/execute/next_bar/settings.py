"""Capital, costs and risk limits of the simulated account."""

from __future__ import annotations

from modules.engine.settings import TradingSettings


class Settings(TradingSettings):
    """See `TradingSettings`: `min_order_usd` may be searched, limits tightened, assumptions stay."""
