"""The engine's arrays for a stream and settings: sizes, offsets, first values."""

from __future__ import annotations

import math

import numpy as np

from modules.engine.accounting import EXACT_LIMIT, MICROS, EngineError
from modules.engine.costs import BPS
from modules.engine.exchange import layout as f
from modules.engine.exchange.events import Stream, book_windows
from modules.engine.exchange.settings import ExchangeSettings
from modules.panel import FloatArray, IntArray

LOG_ROWS = 16_384
RING = 4_096


def sources(stream: Stream) -> list[int]:
    """What fills each symbol's orders: the finest kind of data that the stream has of it."""
    kinds = ((f.DEPTH, f.FROM_DEPTH), (f.QUOTE, f.FROM_QUOTES), (f.TRADE, f.FROM_TRADES), (f.BAR, f.FROM_BARS))
    return [next((source for kind, source in kinds if row[kind]), f.FROM_BARS) for row in stream.survey]


def new_machine(stream: Stream, settings: ExchangeSettings, subscribed: int) -> tuple[IntArray, FloatArray]:
    """`(a, r)` before the first event. Raises EngineError for capital or a log capacity outside their range."""
    symbols = len(stream.instruments)
    capital = settings.capital_usd * MICROS
    if not 0.0 < capital < EXACT_LIMIT:
        raise EngineError(f"capital_usd = {settings.capital_usd} must be above 0 and below {EXACT_LIMIT / MICROS:.0f}")
    slots = 1 << (settings.live_orders - 1).bit_length()
    low, mask = book_windows(stream.survey, stream.instruments)
    log_rows = max(LOG_ROWS, 4 * (slots + symbols + f.OUTBOX_ROWS))
    ring = max(RING, 4 * slots)
    sizes = [
        (f.H_ORDERS, slots * f.ORDER),
        (f.H_REQUESTS, ring * f.REQUEST),
        (f.H_RESPONSES, ring * f.RESPONSE),
        (f.H_NOTICES, ring * f.RESPONSE),
        (f.H_OUTBOXES, f.OUTBOX_ROWS * f.OUTBOX),
        (f.H_OPENED_AT, log_rows * f.OPENED),
        (f.H_CLOSED_AT, log_rows * f.CLOSED),
        (f.H_FILLS_AT, log_rows * f.FILL),
        (f.H_NAVS_AT, log_rows * f.NAV_ROW),
    ]
    windows = np.where(mask > 0, 4 * (mask + 1), 0)
    end = f.HEAD + symbols * f.SYMBOL
    total = end + sum(n for _, n in sizes) + int(windows.sum())
    a = np.zeros(total, dtype=np.int64)
    for place, size in sizes:
        a[place] = end
        end += size
    a[f.H_ROWS] = stream.size
    a[f.H_TIMER] = f.NEVER
    a[f.H_MASK] = subscribed
    a[f.H_SYMBOLS], a[f.H_SLOTS], a[f.H_RING], a[f.H_LOG_ROWS] = symbols, slots, ring, log_rows
    a[f.H_CASH] = a[f.H_NAV] = int(np.rint(capital))
    a[f.H_SEED] = settings.seed
    a[f.H_MAX_AGE] = round(settings.max_age_s * 1e9)
    a[f.H_NAV_EVERY] = round(settings.nav_every_s * 1e9)
    a[f.H_IMPACT_BEYOND] = int(settings.beyond_displayed == "impact")
    a[f.H_ENTRY_NS] = round(settings.entry_median_us * 1e3)
    a[f.H_ANSWER_NS] = round(settings.answer_median_us * 1e3)
    for slot in range(slots):
        a[a[f.H_ORDERS] + slot * f.ORDER + f.O_ID] = f.NONE
        a[a[f.H_ORDERS] + slot * f.ORDER + f.O_LIST] = f.NONE
    for k, source in enumerate(sources(stream)):
        s = f.HEAD + k * f.SYMBOL
        for view in (s, s + f.S_LOCAL):
            a[view + f.S_ASK] = f.NO_ASK
            a[view + f.S_SEEN] = f.NONE
        for head in (f.S_BIDS, f.S_ASKS, f.S_TAKERS, f.S_STOPS):
            a[s + head] = f.NONE
        a[s + f.S_SOURCE] = source
        a[s + f.S_SECTOR] = stream.instruments[k].sector
        a[s + f.S_BAR_NS] = round(stream.instruments[k].bar_s * 1e9)
        a[s + f.S_BOOK], a[s + f.S_BOOK_LOW], a[s + f.S_BOOK_MASK] = end, low[k], mask[k]
        end += int(windows[k])
    return a, _constants(stream, settings, log_rows)


def _constants(stream: Stream, settings: ExchangeSettings, log_rows: int) -> FloatArray:
    symbols = len(stream.instruments)
    r = np.zeros(f.F_HEAD + symbols * f.F_SYMBOL + 2 * log_rows)
    r[f.F_MAKER], r[f.F_TAKER] = settings.maker_bps * BPS, settings.taker_bps * BPS
    r[f.F_PER_SHARE], r[f.F_PER_ORDER] = settings.fee_per_share_usd, settings.fee_per_order_usd
    r[f.F_HALF_SPREAD], r[f.F_IMPACT_K] = settings.half_spread_bps * BPS, settings.impact_k
    r[f.F_QUEUE_POWER], r[f.F_TOUCH] = settings.queue_power, settings.bar_touch_probability
    r[f.F_SHARE] = settings.bar_volume_share
    r[f.F_ENTRY_SIGMA], r[f.F_ANSWER_SIGMA] = settings.entry_sigma, settings.answer_sigma
    r[f.F_MAX_INSTRUMENT], r[f.F_MAX_SECTOR] = settings.max_instrument_nav, settings.max_sector_nav
    r[f.F_MAX_DAILY_LOSS], r[f.F_MAX_TRADE_RISK] = settings.max_daily_loss, settings.max_trade_risk
    for k, instrument in enumerate(stream.instruments):
        at = f.F_HEAD + k * f.F_SYMBOL
        r[at + f.F_NUMERATOR], r[at + f.F_DENOMINATOR] = instrument.ratio()
        r[at + f.F_LOT_SIZE] = instrument.lot_size
        r[at + f.F_SIGMA] = instrument.sigma_day
        r[at + f.F_ADV] = instrument.adv if math.isfinite(instrument.adv) else 0.0
    return r
