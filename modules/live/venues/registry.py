"""Every venue by name. Only the risk core's process opens one, and only here are credentials read.

Credentials are `credentials.yaml` in the account's folder (readable by its owner alone), field by field, else the
environment: field `key` of venue `alpaca` is `CWS_ALPACA_KEY`. They are in no message, journal, log or error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modules.live.messages import Mode
from modules.live.refused import refused
from modules.live.risk.core import Instrument
from modules.live.venues.port import Venue, VenueError

CREDENTIALS: Final = "credentials.yaml"
Scalar = str | int | float | bool


@dataclass(frozen=True)
class VenueConfig:
    """One account: what an adapter may know. `folder` is the account's; `options` the adapter's own."""

    account: str
    mode: Mode
    folder: Path
    instruments: tuple[Instrument, ...]
    options: Mapping[str, Scalar] = field(default_factory=dict)


class Options(BaseModel):
    """Base of an adapter's options: frozen, and a name that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


O = TypeVar("O", bound=Options)  # noqa: E741 - options


def options(kind: type[O], name: str, config: VenueConfig) -> O:
    """The options of a venue. Raises VenueError naming each that is wrong."""
    try:
        return kind.model_validate(dict(config.options))
    except ValidationError as error:
        wrong = refused(error, "options")
        raise VenueError(f"options of venue {name}: {wrong}; it takes {', '.join(kind.model_fields)}") from None


def credentials(name: str, config: VenueConfig, *fields: str) -> dict[str, str]:
    """The named secrets of a venue. Raises VenueError naming the field that is missing, never a value."""
    path = config.folder / CREDENTIALS
    held: object = {}
    if path.exists():
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VenueError(f"{path} may be read by others (mode {stat.S_IMODE(mode):o}); chmod 600 it")
        try:
            held = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError:
            raise VenueError(f"{path} is not YAML; write one field and its value a line") from None
    found = {}
    for secret in fields:
        variable = f"CWS_{name}_{secret}".upper()
        value = (held.get(secret) if isinstance(held, dict) else None) or os.environ.get(variable)
        if not value or not isinstance(value, str):
            raise VenueError(f"venue {name} needs {secret}; write it to {path} (mode 600) or set {variable}")
        found[secret] = value
    return found


class SimOptions(Options):
    """Where the simulated exchange listens (`cws exchange` says it)."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65_535)
    answer_s: float = Field(default=2.0, gt=0.0, le=60.0)


def _sim(config: VenueConfig) -> Venue:
    from modules.live.venues.sim.client import SimVenue

    chosen = options(SimOptions, "sim", config)
    return SimVenue((chosen.host, chosen.port), config.account, answer_s=chosen.answer_s)


def _paper(config: VenueConfig) -> Venue:
    from modules.live.venues.paper.opening import open_paper

    return open_paper(config)


def _broker(name: str) -> Callable[[VenueConfig], Venue]:
    def make(config: VenueConfig) -> Venue:
        from modules.live.venues.brokers import BROKERS

        return BROKERS[name](config)

    return make


_VENUES: Final[dict[str, Callable[[VenueConfig], Venue]]] = {
    "sim": _sim, "paper": _paper, **{name: _broker(name) for name in ("alpaca", "ccxt", "fix", "ib")},
}  # fmt: skip
SIMULATED: Final = frozenset({"sim", "paper"})
"""Venues without a market: they trade on paper alone."""


def names() -> tuple[str, ...]:
    """The venues that there are."""
    return tuple(sorted(_VENUES))


def open_venue(name: str, config: VenueConfig) -> Venue:
    """The adapter of a venue, ready for `open`. Raises VenueError for one that is not known or not for this mode."""
    make = _VENUES.get(name)
    if make is None:
        raise VenueError(f"venue {name} is not known; there are {', '.join(names())}")
    if config.mode == "live" and name in SIMULATED:
        raise VenueError(f"venue {name} has no market behind it; mode live needs a broker, or write mode: paper")
    return make(config)
