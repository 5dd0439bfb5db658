"""The limits as the decision reads them."""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import MICROS
from modules.live.risk import layout as at
from modules.live.risk.limits import LiveLimits
from modules.live.units import MILLI_NS, SECOND_NS
from modules.panel import FloatArray


def limits_table(limits: LiveLimits) -> FloatArray:
    """[LIMITS]: fractions of NAV, micros, ns, as `layout.py` names them."""
    table = np.zeros(at.LIMITS)
    for slot, value in (
        (at.L_DAILY_LOSS, limits.max_daily_loss),
        (at.L_DRAWDOWN, limits.max_drawdown),
        (at.L_ORDER_NAV, limits.max_order_nav),
        (at.L_ORDER_LOTS, limits.max_order_lots),
        (at.L_COLLAR, limits.collar),
        (at.L_INSTRUMENT, limits.max_instrument_nav),
        (at.L_SECTOR, limits.max_sector_nav),
        (at.L_TRADE_RISK, limits.max_trade_risk),
        (at.L_GROSS, limits.max_gross_usd * MICROS),
        (at.L_LEVERAGE, limits.max_leverage),
        (at.L_NET, limits.max_net_nav),
        (at.L_BETA, limits.max_beta_nav),
        (at.L_CONCENTRATION, limits.max_concentration),
        (at.L_PARTICIPATION, limits.max_participation),
        (at.L_TOTAL, limits.total_capital_usd * MICROS),
        (at.L_STALE_NS, limits.stale_ms * MILLI_NS),
        (at.L_MESSAGE_NS, SECOND_NS // limits.messages_a_second),
        (at.L_MESSAGE_BURST_NS, SECOND_NS - SECOND_NS // limits.messages_a_second),
        (at.L_REPEAT_NS, 60 * SECOND_NS // limits.repeats_a_minute),
        (at.L_REPEAT_BURST_NS, 60 * SECOND_NS - 60 * SECOND_NS // limits.repeats_a_minute),
    ):
        table[slot] = value
    return table
