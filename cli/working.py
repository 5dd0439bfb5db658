"""An order in words for `cws work`: the algorithm that it asks for, new or gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from cli.errors import RefusedError, RequestError

if TYPE_CHECKING:
    from modules.live.algorithms.algorithm import Algorithm
    from modules.live.algorithms.parent import Parent
    from modules.live.algorithms.settings import AlgorithmSettings
    from modules.live.feeds.bars import BarShape
    from modules.live.risk.core import Instrument
    from modules.live.riskd.config import RiskdConfig
    from modules.live.working.kept import Kept

Name = Literal["twap", "vwap", "pov", "shortfall", "iceberg"]
Style = Literal["market", "take", "make"]
_SIMULATED: Final = ("sim", "paper")
"""Venues whose fills nobody else sees: the market's volume has none of them."""


@dataclass(frozen=True)
class Words:
    """The order as it was asked for. Equal words are one order until it has ended."""

    side: Literal["buy", "sell"]
    symbol: str
    lots: int
    algorithm: Name
    minutes: float
    slice_s: float
    style: Style
    limit: float | None
    display: int
    rate: float
    risk_aversion: float
    spread_bps: float
    leave: bool
    strategy: str

    @property
    def signed(self) -> int:
        """Lots, sells below 0."""
        return self.lots if self.side == "buy" else -self.lots

    def as_told(self) -> dict[str, str]:
        """By name, for the file of the order."""
        return {name: str(value) for name, value in asdict(self).items()}


def begun(words: Words, config: RiskdConfig, folder: Path, instrument: Instrument, price: Price, now_ns: int) -> Kept:
    """The order at its begin. Raises RequestError, RefusedError for what it needs and is not there."""
    from modules.live.algorithms.parent import AlgorithmError
    from modules.live.working.kept import Kept

    parent, settings = _parent(words, config, instrument, now_ns), _settings(words, config, instrument, price)
    kept = Kept(words.as_told(), parent, settings.model_dump_json())
    if words.algorithm not in ("vwap", "pov"):
        return kept
    from modules.live.feeds.opening import CONFIG, load_feeds
    from modules.live.feeds.port import FeedError
    from modules.live.runner.tape import TapeError

    try:
        feeds = load_feeds(folder / CONFIG)
        if words.algorithm == "vwap":
            return _with_curve(kept, folder, feeds.bars)
    except (AlgorithmError, FeedError, TapeError) as error:
        raise RefusedError(f"NO_VOLUME: {error}", "or work it --by twap") from error
    heard = [f for f in feeds.feeds.values() if f.trades and (f.symbols is None or words.symbol in f.symbols)]
    if not heard:
        raise RefusedError(
            f"NO_VOLUME: no feed of account {config.account} tells trades of {words.symbol}",
            f"write `trades: true` to a feed of {folder / CONFIG} that has the symbol, or work it --by twap",
        )
    return kept


Price = Callable[[], float | None]
"""What the risk core knows as the price."""


def algorithm_of(kept: Kept) -> Algorithm:
    """As it began; what it did since is the desk's to tell. Raises RequestError."""
    from pydantic import TypeAdapter

    from modules.live.algorithms.parent import AlgorithmError
    from modules.live.algorithms.settings import AlgorithmSettings, build
    from modules.live.algorithms.volume import VolumeCurve

    settings: AlgorithmSettings = TypeAdapter(AlgorithmSettings).validate_json(kept.settings)
    curve = (VolumeCurve(kept.shares, kept.bucket_ns, kept.days), kept.open_ns) if kept.shares else None
    try:
        made = build(kept.parent, settings, curve=curve)
    except AlgorithmError as error:
        raise RequestError(str(error), "see `cws work --help`") from error
    made.stopped, made.volume = kept.stopped, kept.volume
    return made


def _parent(words: Words, config: RiskdConfig, instrument: Instrument, now_ns: int) -> Parent:
    from modules.live.algorithms.parent import AlgorithmError, Parent
    from modules.live.orders.ids import client_id
    from modules.live.units import MICROS, SECOND_NS

    try:
        return Parent(
            parent_id=client_id(config.account, words.strategy, now_ns, words.symbol),
            account=config.account,
            strategy=words.strategy,
            symbol=words.symbol,
            lots=words.signed,
            begin_ns=now_ns,
            end_ns=now_ns + round(words.minutes * 60 * SECOND_NS),
            venues=(config.venue.name,),
            limit_micros=None if words.limit is None else round(words.limit * MICROS),
            tick_micros=max(1, round(instrument.tick * MICROS)),
            residual="leave" if words.leave else "cross",
        )
    except AlgorithmError as error:
        raise RequestError(str(error), "see `cws work --help`") from error


def _settings(words: Words, config: RiskdConfig, instrument: Instrument, price: Price) -> AlgorithmSettings:
    from pydantic import ValidationError

    from modules.live.algorithms.settings import Ice, Pov, Shortfall, Twap, Vwap

    common: dict[str, object] = {"slice_s": words.slice_s, "style": words.style}
    try:
        match words.algorithm:
            case "iceberg":
                return Ice.model_validate({**common, "style": "make", "display_lots": words.display})
            case "twap":
                return Twap.model_validate(common)
            case "vwap":
                return Vwap.model_validate(common)
            case "pov":
                theirs = config.venue.name not in _SIMULATED
                return Pov.model_validate({**common, "rate": words.rate, "counts_own": theirs})
        known = price()
        if known is None:
            raise RefusedError(f"nobody knows a price of {words.symbol} yet", "wait for the venue's first mark")
        lot = known * instrument.lot_size  # impact is reckoned by the lot
        about = {
            "risk_aversion": words.risk_aversion, "price": lot, "sigma_day": instrument.sigma_day,
            "adv_lots": instrument.adv_lots, "spread": lot * words.spread_bps * 1e-4,
        }  # fmt: skip
        return Shortfall.model_validate({**common, **about})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"{words.algorithm} of {words.symbol}: {field} = {first['input']}: {first['msg']}", _REMEDIES.get(field, "")
        ) from error


_REMEDIES: Final = {
    "slice_s": "give --slice within these bounds",
    "sigma_day": "write sigma_day to riskd.yaml",
    "adv_lots": "write adv_lots to riskd.yaml",
}


def _with_curve(kept: Kept, folder: Path, shape: BarShape) -> Kept:
    from msgspec.structs import replace

    from modules.live.analysis.usualvolume import curve_of, session_of
    from modules.live.place import Place

    parent = kept.parent
    opened, _ = session_of(shape, parent.begin_ns, parent.end_ns)
    curve = curve_of(Place(folder).tape, parent.symbol, shape, parent.begin_ns)
    return replace(kept, shares=curve.shares, bucket_ns=curve.bucket_ns, days=curve.days, open_ns=opened)
