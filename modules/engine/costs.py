"""What trading costs: spread, commission, square-root impact and borrow.

Impact follows the square-root law, cost per unit of notional = k * sigma * sqrt(q / adv) (Almgren, Thum,
Hauptmann and Li, "Direct estimation of equity market impact", 2005; Toth et al., "Anomalous price impact",
2011), k in [0.3, 1.0]. It is charged only where volume is known; it is never guessed.

A part of the push stays: permanent impact moves the price by gamma * sigma * q / adv, linear in the size (Almgren et
al. 2005, who measure gamma = 0.314 for US stocks and an exponent of 0.89 +- 0.10; linear is also what excludes profits
from pushing a price up and down, Huberman and Stanzl 2004). The order pays half of it, the mean on the way. Marks stay
at the prices observed: what a trade did to the worth of the rest of the book is not credited, so that no account earns
by pushing its own holdings.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.accounting import EXACT_LIMIT
from modules.jit import inlined, kernel
from modules.panel import FloatArray

BPS: Final = 1e-4
NO_VOLUME_NOTE: Final = "impact is not modelled: no volume"


@inlined
def impact_rate(k: float, sigma: float, shares: float, adv: float) -> float:
    """Fraction of the notional: k * sigma * sqrt(shares / adv); 0 where sigma or adv is unknown or 0."""
    if not (sigma > 0.0 and adv > 0.0):
        return 0.0
    return float(k * sigma * np.sqrt(shares / adv))


@inlined
def permanent_rate(gamma: float, sigma: float, shares: float, adv: float) -> float:
    """Fraction of the notional: half of gamma * sigma * shares / adv; 0 where sigma or adv is unknown or 0."""
    if not (sigma > 0.0 and adv > 0.0):
        return 0.0
    return float(0.5 * gamma * sigma * (shares / adv))


@inlined
def scheduled(by_value: int, shares: float, a_share: float, a_trade: float, least: float) -> int:
    """Commission in micros: by value, by share and by fill together, at least `least`."""
    charged = np.rint(shares * a_share + a_trade)
    if not charged < EXACT_LIMIT:
        raise OverflowError("fee outside 2**53 micro-units")
    return max(by_value + int(charged), int(least))


@inlined
def most_lots(share: float, volume: float, lot_size: float) -> int:
    """The most lots that are at most `share` of `volume` shares; 0 where volume is unknown."""
    room = share * volume
    most = np.floor(room / lot_size)
    if not most > 0.0:
        return 0
    lots = int(min(most, EXACT_LIMIT))
    while lots > 0 and float(lots) * lot_size > room:
        lots -= 1
    return lots


@kernel
def still_bars(close: FloatArray) -> FloatArray:
    """Bars up to and including row t over which the close has not moved since it last did, `[T, N]`; 0 at a move.

    A missing bar moves nothing and is counted.
    """
    rows, symbols = close.shape
    out = np.zeros((rows, symbols))
    last = np.full(symbols, np.nan)
    for t in range(rows):
        for i in range(symbols):
            if close[t, i] == close[t, i] and close[t, i] != last[i]:
                last[i] = close[t, i]
            elif last[i] == last[i]:
                out[t, i] = out[t - 1, i] + 1.0
    return out
