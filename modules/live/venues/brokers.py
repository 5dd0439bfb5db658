"""The venues with a market behind them: what each takes for options, and its adapter. Libraries are imported late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from modules.live.feeds.symbols import SymbolError, symbol_map
from modules.live.venues.exact import Listing, Listings
from modules.live.venues.port import Venue, VenueError
from modules.live.venues.registry import Options, VenueConfig, credentials, options


def listings(name: str, config: VenueConfig) -> Listings:
    """The account's instruments by the venue's names. Raises VenueError."""
    try:
        names = symbol_map(name, [x.symbol for x in config.instruments])
        rows = [
            Listing(x.symbol, names.native(x.symbol), Decimal(repr(x.lot_size)), Decimal(repr(x.tick)))
            for x in config.instruments
        ]
        return Listings(rows)
    except (SymbolError, ValueError) as error:
        raise VenueError(f"venue {name}: {error}") from error


_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class AlpacaOptions(Options):
    """`quotes`: where reference prices come from; "none" = somebody else gives them. `url`, `updates`, `market`: what
    stands in for Alpaca's REST interface and its two streams, on paper and on this machine: keys go nowhere else."""

    timeout_s: float = Field(default=10.0, gt=0.0, le=60.0)
    days: int = Field(default=3, ge=1, le=30)
    quotes: Literal["iex", "sip", "none"] = "iex"
    url: str | None = None
    updates: str = ""
    market: str | None = None

    @field_validator("url", "updates", "market")
    @classmethod
    def _stays_here(cls, value: str | None) -> str | None:
        if value and urlsplit(value).hostname not in _HERE:
            raise ValueError(f"{value!r} is not on this machine; leave it out to trade at Alpaca")
        return value


def _alpaca(config: VenueConfig) -> Venue:
    from modules.live.venues.alpaca.venue import LIVE_URL, PAPER_URL, AlpacaSettings, AlpacaVenue

    chosen, secret = options(AlpacaOptions, "alpaca", config), credentials("alpaca", config, "key", "secret")
    if config.mode == "live" and (chosen.url or chosen.updates or chosen.market):
        raise VenueError("options of venue alpaca: url, updates, market stand in for Alpaca on paper; leave them out")
    quotes = chosen.market or f"wss://stream.data.alpaca.markets/v2/{chosen.quotes}"
    settings = AlpacaSettings(
        secret["key"], secret["secret"], chosen.url or (LIVE_URL if config.mode == "live" else PAPER_URL),
        chosen.updates, None if chosen.quotes == "none" else quotes, timeout_s=chosen.timeout_s, days=chosen.days,
    )  # fmt: skip
    return AlpacaVenue(settings, listings("alpaca", config))


class CryptoOptions(Options):
    """Bybit through ccxt. Paper is its demo trading: real prices, no money."""

    exchange: Literal["bybit"] = "bybit"
    timeout_s: float = Field(default=10.0, gt=0.0, le=60.0)
    days: int = Field(default=3, ge=1, le=7)


def _crypto(config: VenueConfig) -> Venue:
    from modules.live.venues.crypto.venue import CryptoSettings, CryptoVenue

    chosen = options(CryptoOptions, "ccxt", config)
    secret = credentials("ccxt", config, "key", "secret")
    settings = CryptoSettings(
        secret["key"], secret["secret"], is_paper=config.mode == "paper", timeout_s=chosen.timeout_s, days=chosen.days
    )
    return CryptoVenue(settings, listings(chosen.exchange, config))


class FixOptions(Options):
    """A FIX session. `mode`: which of the two the counterparty trades, for nothing in the protocol says it."""

    host: str
    port: int = Field(ge=1, le=65_535)
    sender: str = Field(min_length=1)
    target: str = Field(min_length=1)
    mode: Literal["paper", "live"]
    tls: bool = True
    logs_in: bool = Field(default=True, description="with username and password; else the CompIDs and TLS are enough")
    heartbeat_s: int = Field(default=30, ge=1, le=300)
    resets_numbers: bool = True
    market_data: bool = True
    answer_s: float = Field(default=5.0, gt=0.0, le=60.0)
    report_s: float = Field(default=15.0, gt=0.0, le=18.0)


def _fix(config: VenueConfig) -> Venue:
    from modules.live.venues.fix.session import Names
    from modules.live.venues.fix.venue import FixSettings, FixVenue

    chosen = options(FixOptions, "fix", config)
    if chosen.mode != config.mode:
        raise VenueError(f"venue fix trades {chosen.mode}, the account is {config.mode}; connect to the other session")
    secret = credentials("fix", config, "username", "password") if chosen.logs_in else {}
    names = Names(
        chosen.sender, chosen.target, chosen.heartbeat_s, secret.get("username"), secret.get("password")
    )  # fmt: skip
    settings = FixSettings(
        chosen.host, chosen.port, config.account, names, tls=chosen.tls, answer_s=chosen.answer_s,
        sequences=None if chosen.resets_numbers else config.folder / "fix.numbers", report_s=chosen.report_s,
        market_data=chosen.market_data,
    )  # fmt: skip
    return FixVenue(settings, listings("fix", config))


class IbOptions(Options):
    """Trader Workstation or IB Gateway, which holds the login: paper listens at 4002, live at 4001."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65_535)
    client: int = Field(default=7, ge=1, le=999)
    account: str = Field(min_length=1)
    answer_s: float = Field(default=5.0, gt=0.0, le=60.0)
    report_s: float = Field(default=15.0, gt=0.0, le=18.0)
    market_data: bool = True


def _ib(config: VenueConfig) -> Venue:
    from modules.live.venues.ib.venue import IbSettings, IbVenue

    chosen = options(IbOptions, "ib", config)
    settings = IbSettings(
        chosen.host, chosen.port, chosen.client, chosen.account, is_paper=config.mode == "paper",
        answer_s=chosen.answer_s, report_s=chosen.report_s, market_data=chosen.market_data,
    )  # fmt: skip
    return IbVenue(settings, listings("ib", config))


BROKERS: Final[Mapping[str, Callable[[VenueConfig], Venue]]] = {
    "alpaca": _alpaca, "ccxt": _crypto, "fix": _fix, "ib": _ib,
}  # fmt: skip
