"""The feeds of an account, from `feeds.yaml` in its folder: where they are, how they are judged, what bars they make.

feeds:
  bybit: {venue: bybit, url: "wss://stream.bybit.com/v5/public/spot", depth: 50}
bars: {interval_s: 60, bar_stamp: close, calendar: "24/7"}
gates: {max_spread: 0.01}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from modules.live.feeds.bars import BarShape
from modules.live.feeds.dialects.binance import Binance
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.dialects.port import DialectError
from modules.live.feeds.gates import GateLimits
from modules.live.feeds.health import HealthLimits
from modules.live.feeds.port import Feed, FeedError
from modules.live.feeds.symbols import SymbolError, symbol_map
from modules.live.feeds.websocket import Patience, WebSocketFeed
from modules.live.refused import refused

CONFIG: Final = "feeds.yaml"
MOST_FEEDS: Final = 16
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class FeedOptions(BaseModel):
    """One connection. `symbols`: those that it says, None = all of the account; `names`: what the venue calls those for
    which its rule does not hold; `snapshots`: root of its HTTP address, where its books are fetched apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    venue: Literal["bybit", "binance"]
    url: str
    symbols: tuple[str, ...] | None = None
    names: dict[str, str] = Field(default_factory=dict)
    depth: int = Field(default=50, ge=1, le=5_000)
    trades: bool = True
    snapshots: str | None = None
    patience: Patience = Patience()

    @field_validator("url", "snapshots")
    @classmethod
    def _nobody_between(cls, value: str | None) -> str | None:
        """Prices that anybody on the way could change are no prices."""
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("wss", "https") and parts.hostname not in _HERE:
                raise ValueError(f"{value!r} is not encrypted; write wss:// or https:// (plain only on this machine)")
        return value


class FeedsConfig(BaseModel):
    """All feeds of an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feeds: dict[Name, FeedOptions] = Field(min_length=1, max_length=MOST_FEEDS)
    bars: BarShape = BarShape()
    gates: GateLimits = GateLimits()
    health: HealthLimits = HealthLimits()


def load_feeds(path: Path) -> FeedsConfig:
    """The configuration of a file. Raises FeedError naming every field that is wrong."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        return FeedsConfig.model_validate(values)
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}; write the account's feeds there") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FeedError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        raise FeedError(f"{path}: {refused(error, 'feeds')}") from error


def make_feed(
    name: str, options: FeedOptions, symbols: Iterable[str], is_quiet: Callable[[], bool] = lambda: False
) -> Feed:
    """A feed of these symbols, ready for `open`. `is_quiet`: whether no data are to be expected. Raises FeedError."""
    chosen = tuple(symbols) if options.symbols is None else options.symbols
    try:
        known = symbol_map(options.venue, chosen, options.names)
        if options.venue == "bybit":
            dialect: Bybit | Binance = Bybit(known, depth=options.depth, trades=options.trades)
        else:
            dialect = Binance(known, ("depth", "trade") if options.trades else ("depth",), depth=options.depth)
    except (SymbolError, DialectError) as error:
        raise FeedError(f"feed {name}: {error}") from error
    if options.venue == "binance" and options.snapshots is None:
        raise FeedError(f"feed {name}: binance fetches its books apart; give snapshots, the root of its HTTP address")
    return WebSocketFeed(name, options.url, dialect, options.patience, options.snapshots, is_quiet=is_quiet)
