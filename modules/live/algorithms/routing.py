"""Where an order goes: to the venues that display it cheapest, price, fee and expected impact together.

Lots are taken one after the other where the next one costs least. At a venue that is first what it displays, level by
level, and then, where that is allowed, what may be there unseen: each lot beyond costs a little more than the one
before. The cost of the next lot never falls at any venue, so no other split of the order is cheaper. All arithmetic
is in whole numbers: prices in micros, costs in millionths of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modules.live.algorithms.heard import Level, Shown
from modules.live.algorithms.parent import AlgorithmError

PPM: Final = 1_000_000


@dataclass(frozen=True)
class Terms:
    """What trading at a venue costs beside the price, in millionths of it (1 bp = 100); rebates are below 0.

    `micros_share`: a fee by the share. `beyond_ppm_lot`: by how much each lot beyond what is displayed is expected to
    be worse than the one before; None = nothing is sent beyond. `stale_ns`: a display older than that is not
    believed.
    """

    taker_ppm: int = 0
    maker_ppm: int = 0
    micros_share: int = 0
    beyond_ppm_lot: int | None = None
    stale_ns: int = 5_000_000_000

    def __post_init__(self) -> None:
        if self.stale_ns < 1 or (self.beyond_ppm_lot is not None and self.beyond_ppm_lot < 1):
            raise AlgorithmError(
                f"stale_ns {self.stale_ns}, beyond_ppm_lot {self.beyond_ppm_lot}: both are above 0; "
                "leave beyond_ppm_lot out to send no more than is displayed"
            )


@dataclass(frozen=True)
class Leg:
    """One order of a split: lots without sign, and the worst price that it was reckoned with."""

    venue: str
    lots: int
    limit_micros: int


@dataclass(frozen=True)
class _Piece:
    """Lots of one venue whose cost rises by `rise` a lot, from `cost`; `limit` and `limit_rise` are their price."""

    rank: int
    cost: int
    rise: int
    lots: int
    price: int
    price_rise: int

    def within(self, most: int) -> int:
        """Lots that cost at most `most` each."""
        if most < self.cost:
            return 0
        return self.lots if self.rise == 0 else min(self.lots, (most - self.cost) // self.rise + 1)


def take(
    lots: int,
    buys: bool,
    shown: Mapping[str, Shown],
    terms: Mapping[str, Terms],
    venues: Sequence[str],
    now_ns: int,
    *,
    limit_micros: int | None = None,
    tick_micros: int = 1,
) -> tuple[Leg, ...]:
    """Split an order that crosses the spread; equal costs go to the venue named first. Lots that no venue shows stay
    out.

    Raises AlgorithmError for lots that are not above 0.
    """
    if lots < 1:
        raise AlgorithmError(f"lots = {lots}; an order to be split has at least 1")
    sign = 1 if buys else -1
    pieces = [
        piece
        for rank, venue in enumerate(venues)
        if venue in shown and now_ns - shown[venue].ts_ns <= terms[venue].stale_ns
        for piece in _pieces(rank, shown[venue], terms[venue], sign, limit_micros, lots)
    ]
    there = sum(piece.lots for piece in pieces)
    if there <= lots:
        return _legs(pieces, [piece.lots for piece in pieces], venues, sign, limit_micros, tick_micros)
    low, high = min(p.cost for p in pieces), max(p.cost + p.rise * (p.lots - 1) for p in pieces)
    while low < high:
        middle = (low + high) // 2
        if sum(piece.within(middle) for piece in pieces) >= lots:
            high = middle
        else:
            low = middle + 1
    chosen = [piece.within(low - 1) for piece in pieces]
    over = lots - sum(chosen)
    for place, piece in enumerate(pieces):  # in order of venue, then of price: equal costs go to the first
        more = min(over, piece.within(low) - chosen[place])
        chosen[place] += more
        over -= more
    return _legs(pieces, chosen, venues, sign, limit_micros, tick_micros)


def _pieces(rank: int, shown: Shown, terms: Terms, sign: int, limit_micros: int | None, lots: int) -> list[_Piece]:
    """What a venue has for us, its costs never falling. A sale's cost is what it does not bring."""
    found: list[_Piece] = []
    levels: tuple[Level, ...] = shown.asks if sign > 0 else shown.bids
    for price, displayed in levels:
        if displayed < 1:
            continue  # an empty level says nothing of what may be there unseen, wherever it is
        if limit_micros is not None and sign * price > sign * limit_micros:
            return found
        found.append(_Piece(rank, _cost(price, terms, sign), 0, displayed, price, 0))
    if found and terms.beyond_ppm_lot is not None:
        last = found[-1].price
        rise = max(1, last * terms.beyond_ppm_lot // PPM)
        room = lots
        if limit_micros is not None:
            room = min(room, sign * (limit_micros - last) // rise)
        if sign < 0:
            room = min(room, (last - 1) // rise)
        if room > 0:
            step = rise * (PPM + sign * terms.taker_ppm)
            found.append(_Piece(rank, _cost(last, terms, sign) + step, step, room, last + sign * rise, sign * rise))
    return found


def _cost(price: int, terms: Terms, sign: int) -> int:
    return sign * price * PPM + price * terms.taker_ppm + terms.micros_share * PPM


def _legs(
    pieces: list[_Piece],
    chosen: list[int],
    venues: Sequence[str],
    sign: int,
    limit_micros: int | None,
    tick_micros: int,
) -> tuple[Leg, ...]:
    """One leg a venue, priced at the worst of its lots, rounded to the tick so that it still meets them."""
    total: dict[int, int] = {}
    worst: dict[int, int] = {}
    for piece, lots in zip(pieces, chosen, strict=True):
        if lots:
            total[piece.rank] = total.get(piece.rank, 0) + lots
            worst[piece.rank] = piece.price + piece.price_rise * (lots - 1)
    out = []
    for rank in sorted(total):
        price = sign * -(-sign * worst[rank] // tick_micros) * tick_micros
        if limit_micros is not None and sign * price > sign * limit_micros:
            price = limit_micros
        out.append(Leg(venues[rank], total[rank], price))
    return tuple(out)


def make(
    buys: bool,
    shown: Mapping[str, Shown],
    terms: Mapping[str, Terms],
    venues: Sequence[str],
    now_ns: int,
    *,
    limit_micros: int | None = None,
) -> Leg | None:
    """Where an order that rests should rest, and at what price (lots 0): at the best bid (ask) of all, at the venue
    that pays or asks least for it, then where fewest lots wait before it. None where nothing is displayed."""
    sign = 1 if buys else -1
    best: tuple[int, int, int, int] | None = None
    for rank, venue in enumerate(venues):
        if venue not in shown or now_ns - shown[venue].ts_ns > terms[venue].stale_ns:
            continue
        levels = shown[venue].bids if buys else shown[venue].asks
        if not levels:
            continue
        price, displayed = levels[0]
        key = (-sign * price, terms[venue].maker_ppm, displayed, rank)
        best = key if best is None or key < best else best
    if best is None:
        return None
    price = -sign * best[0]
    if limit_micros is not None and sign * price > sign * limit_micros:
        price = limit_micros
    return Leg(venues[best[3]], 0, price)
